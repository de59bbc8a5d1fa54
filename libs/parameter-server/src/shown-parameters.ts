import { bytesOf } from '@lockstep/core';
import { createVectorCodec, encodedBytes, sliceBytes, type Bytes, type Kernels, type Vector } from '@lockstep/reduction';
import { trainableIn, type ShardPlan } from './shard-plan.ts';

/** A shard's parameters as it shows them to workers: themselves, or rounded. Its own stay exact, and are what checkpoints hold. */
export class ShownParameters {
  readonly bytes: Uint8Array;
  readonly #kernels: Kernels;
  readonly #parameters: Vector;
  readonly #trainable: number;
  readonly #wire: ShardPlan['parameterWire'];
  readonly #bytesFor: (length: number) => number;
  readonly #rounded: Bytes | null;

  constructor(plan: Pick<ShardPlan, 'range' | 'trainableLength' | 'parameterWire'>, kernels: Kernels, parameters: Vector) {
    this.#kernels = kernels;
    this.#parameters = parameters;
    this.#trainable = trainableIn(plan);
    this.#wire = plan.parameterWire;
    this.#bytesFor = encodedBytes(this.#wire, this.#trainable);
    this.#rounded = this.#wire === 'float32' ? null : kernels.allocateBytes(this.#bytesFor(parameters.length));
    this.bytes = this.#rounded === null ? bytesOf(parameters.data) : this.#rounded.data;
  }

  /** The elements `from` up to `to` are that version's. Gives how many bytes are, where all before them are too. */
  refresh(from: number, to: number): number {
    const [start, end] = [this.#bytesFor(from), this.#bytesFor(to)];
    if (this.#rounded !== null) {
      const codec = createVectorCodec(this.#kernels, this.#kernels.wireFormats[this.#wire], trainableIn({ range: { from, to }, trainableLength: this.#trainable }));
      codec.encode(this.#kernels.slice(this.#parameters, from, to), sliceBytes(this.#rounded, start, end));
    }
    return end;
  }
}
