import type { WireConfig } from '@lockstep/core';
import { isCompressed } from './feedback-windows.ts';
import type { Kernels } from './kernels.ts';
import { sliceBytes, type Bytes, type Vector } from './vector.ts';
import { encodedBytes, type WireFormat } from './wire-format.ts';

/** A gradient sum, or parameters, on the wire: what is optimized in a format, the buffers behind it as float32. */
export interface VectorCodec {
  /** Bytes of the first `length` elements; so those of a shard's range lie from `bytesFor(from)` to `bytesFor(to)`. */
  bytesFor(length: number): number;
  /** Rounds; what is rounded already loses nothing. */
  encode(vector: Vector, out: Bytes): void;
  decode(bytes: Bytes, out: Vector): void;
  /** In place, of a micro-batch's gradient. */
  round(sum: Vector): void;
  /** `into = into + other`, rounded: a tree node's sum from those of its children. */
  merge(into: Vector, other: Vector): void;
}

/** `trainable`: how many elements of the vectors, from their start, are optimized. Ranges start at multiples of the format's block. */
export function createVectorCodec(kernels: Pick<Kernels, 'wireFormats' | 'slice'>, format: WireFormat, trainable: number): VectorCodec {
  const { float32 } = kernels.wireFormats;
  const bytesFor = encodedBytes(format.name, trainable);
  const optimized = (vector: Vector): Vector => kernels.slice(vector, 0, trainable);
  const buffers = (vector: Vector): Vector => kernels.slice(vector, trainable, vector.length);
  const encodedBuffers = (bytes: Bytes): Bytes => sliceBytes(bytes, bytesFor(trainable), bytes.length);
  return {
    bytesFor,
    encode(vector, out) {
      format.encode(optimized(vector), sliceBytes(out, 0, bytesFor(trainable)));
      float32.encode(buffers(vector), encodedBuffers(out));
    },
    decode(bytes, out) {
      format.decode(sliceBytes(bytes, 0, bytesFor(trainable)), optimized(out));
      float32.decode(encodedBuffers(bytes), buffers(out));
    },
    round: (sum) => format.round(optimized(sum)),
    merge(into, other) {
      format.merge(optimized(into), optimized(other));
      float32.merge(buffers(into), buffers(other));
    },
  };
}

/** What reads partials as they travel in any way; what is compressed is read, not written. */
export function createPartialDecoder(kernels: Kernels, wire: WireConfig, trainable: number): Pick<VectorCodec, 'bytesFor' | 'decode'> {
  if (!isCompressed(wire)) return createVectorCodec(kernels, kernels.wireFormats[wire], trainable);
  const bytesFor = encodedBytes(wire, trainable);
  const compressor = kernels.compressor(wire);
  return {
    bytesFor,
    decode(bytes, out) {
      compressor.decode(sliceBytes(bytes, 0, bytesFor(trainable)), kernels.slice(out, 0, trainable));
      kernels.wireFormats.float32.decode(sliceBytes(bytes, bytesFor(trainable), bytes.length), kernels.slice(out, trainable, out.length));
    },
  };
}
