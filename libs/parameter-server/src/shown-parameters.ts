import { bytesOf } from '@lockstep/core';
import { createVectorCodec, type Bytes, type Kernels, type Vector, type VectorCodec } from '@lockstep/reduction';
import { trainableIn, type ShardPlan } from './shard-plan.ts';

/** A shard's parameters as it shows them to workers: themselves, or rounded. Its own stay exact, and are what checkpoints hold. */
export class ShownParameters {
  readonly #parameters: Vector;
  readonly #rounded: { readonly codec: VectorCodec; readonly bytes: Bytes } | null;

  constructor(plan: Pick<ShardPlan, 'range' | 'trainableLength' | 'parameterWire'>, kernels: Kernels, parameters: Vector) {
    this.#parameters = parameters;
    if (plan.parameterWire === 'float32') this.#rounded = null;
    else {
      const codec = createVectorCodec(kernels, kernels.wireFormats[plan.parameterWire], trainableIn(plan));
      this.#rounded = { codec, bytes: kernels.allocateBytes(codec.bytesFor(parameters.length)) };
    }
  }

  /** Valid until the parameters change. */
  encode(): Uint8Array {
    if (this.#rounded === null) return bytesOf(this.#parameters.data);
    const { codec, bytes } = this.#rounded;
    codec.encode(this.#parameters, bytes);
    return bytes.data;
  }
}
