import { sha256, type ParameterSpec, type Rank } from '@lockstep/core';
import type { ModelReadyMessage } from '@lockstep/transport';

/** What a worker's machine reports when it has built the run's model. */
export interface BuiltModel {
  readonly specs: readonly ParameterSpec[];
  readonly topology: object;
}

/** The model that the run trains: what the first worker built. The others must have built the same. */
export class ModelAgreement {
  #first: { readonly built: BuiltModel; readonly fingerprint: string; readonly rank: Rank } | null = null;

  /** Gives the run's model, or says what is wrong with this worker's. */
  take(rank: Rank, { parameters, topologyJson }: ModelReadyMessage): BuiltModel | string {
    const specs = parameters.map(({ name, shape, trainable }): ParameterSpec => ({ name, shape, kind: trainable ? 'trainable' : 'buffer' }));
    const fingerprint = sha256(JSON.stringify(specs));
    this.#first ??= { built: { specs, topology: JSON.parse(topologyJson) as object }, fingerprint, rank };
    if (this.#first.fingerprint === fingerprint) return this.#first.built;
    return `it built a model with other tensors than worker ${this.#first.rank}: the model function must not depend on the machine`;
  }
}
