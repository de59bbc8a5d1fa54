import { sha256, type ParameterSpec, type Rank } from '@lockstep/core';
import type { ModelReadyMessage } from '@lockstep/transport';

/** What a worker's machine reports when it has built the run's model. */
export interface BuiltModel {
  readonly specs: readonly ParameterSpec[];
  readonly topology: object;
  /** Of the frozen tensors' values; '' where there are none. */
  readonly frozenSha256: string;
}

interface Agreed {
  readonly built: BuiltModel;
  readonly fingerprint: string;
  /** Who built it. */
  readonly builder: string;
}

/** The model that the run trains: what the first worker built, in this process's life or before. The others must have built the same. */
export class ModelAgreement {
  #agreed: Agreed | null;

  constructor(known: BuiltModel | null) {
    this.#agreed = known === null ? null : { built: known, fingerprint: fingerprintOf(known), builder: 'the run began with' };
  }

  /** Gives the run's model, or says what is wrong with this worker's. */
  take(rank: Rank, { parameters, topologyJson, frozenSha256 }: ModelReadyMessage): BuiltModel | string {
    const specs = parameters.map(({ name, shape, kind }): ParameterSpec => ({ name, shape, kind: kind === 'trainable' || kind === 'frozen' ? kind : 'buffer' }));
    const fingerprint = fingerprintOf({ specs, frozenSha256 });
    this.#agreed ??= { built: { specs, topology: JSON.parse(topologyJson) as object, frozenSha256 }, fingerprint, builder: `worker ${rank}` };
    if (this.#agreed.fingerprint === fingerprint) return this.#agreed.built;
    return `it built a model with other tensors than ${this.#agreed.builder}: the model function must not depend on the machine`;
  }
}

const fingerprintOf = ({ specs, frozenSha256 }: Pick<BuiltModel, 'specs' | 'frozenSha256'>): string =>
  sha256(JSON.stringify([specs.map(({ name, shape, kind }) => [name, shape, kind]), frozenSha256]));
