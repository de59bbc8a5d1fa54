import { bytesOf } from '@lockstep/core';
import type { Bytes, Kernels, Vector, VectorCodec, WireFormat } from '@lockstep/reduction';

/** Memory that was given out to be filled, with floats as they are or encoded. */
type Lent = { readonly vector: Vector } | { readonly encoded: Bytes };

/** Kernel memory of a shard that streams fill with what arrives for it. All that is given out is taken back once. */
export class LentMemory {
  readonly #kernels: Kernels;
  readonly #format: WireFormat;
  readonly #codec: VectorCodec;
  readonly #length: number;
  readonly #lent = new Map<Uint8Array, Lent>();

  /** `codec` in `format` of vectors of `length` elements. */
  constructor(kernels: Kernels, format: WireFormat, codec: VectorCodec, length: number) {
    this.#kernels = kernels;
    this.#format = format;
    this.#codec = codec;
    this.#length = length;
  }

  lendFloats(): Uint8Array {
    const vector = this.#kernels.allocate(this.#length);
    const destination = bytesOf(vector.data);
    this.#lent.set(destination, { vector });
    return destination;
  }

  /** For a vector in the format. Float32 needs no decoding: its bytes arrive where they are added up. */
  lendEncoded(): Uint8Array {
    if (this.#format.name === 'float32') return this.lendFloats();
    const encoded = this.#kernels.allocateBytes(this.#codec.bytesFor(this.#length));
    this.#lent.set(encoded.data, { encoded });
    return encoded.data;
  }

  /** What has arrived there, which is now the caller's to release. */
  take(destination: Uint8Array): Vector {
    const lent = this.#takeBack(destination);
    if ('vector' in lent) return lent.vector;
    const vector = this.#kernels.allocate(this.#length);
    this.#codec.decode(lent.encoded, vector);
    this.#kernels.releaseBytes(lent.encoded);
    return vector;
  }

  /** Nobody wants what has arrived there, or will. */
  giveBack(destination: Uint8Array): void {
    const lent = this.#takeBack(destination);
    if ('vector' in lent) this.#kernels.release(lent.vector);
    else this.#kernels.releaseBytes(lent.encoded);
  }

  #takeBack(destination: Uint8Array): Lent {
    const lent = this.#lent.get(destination);
    if (lent === undefined) throw new Error('not a destination that this shard gave out');
    this.#lent.delete(destination);
    return lent;
  }
}
