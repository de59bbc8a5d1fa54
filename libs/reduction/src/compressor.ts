import assert from 'node:assert/strict';
import { NORM_BLOCK } from './clipping.ts';
import type { KernelExports } from './kernel-module.ts';
import type { Bytes, Vector } from './vector.ts';

/**
 * Gradients of which a part travels now and the rest is held back and added to the next (error feedback). Each block of
 * 4,096 elements on its own; what comes after the last whole block travels whole, as float32.
 *
 * - `topK`: `ratio` of the elements, above 0 and up to 0.5, at least one: those of largest magnitude, and of equal ones the
 *   first. Exact: an element either travels or stays. (Stich et al. 2018, Sparsified SGD with Memory.)
 * - `powerSgd`: the block as a matrix of 64 x 64, of `rank` 1 to 16, by a step of power iteration from the state. (Vogels
 *   et al. 2019, PowerSGD.)
 */
export type Compression = { readonly kind: 'topK'; readonly ratio: number } | { readonly kind: 'powerSgd'; readonly rank: number };

/** A range that starts and ends at blocks, or at the end, has the bytes and the state from those of its start to those of its end. */
export interface Compressor {
  /** Bytes of the first `length` elements. */
  bytesFor(length: number): number;
  /** Floats of the state that `take` needs for a vector of this length; 0 for `topK`. */
  stateLength(length: number): number;
  /** The state that a compressor begins with: the same for every block. */
  resetState(state: Vector): void;
  /**
   * Moves what travels from `vector` to `out`: the vector is what stays behind, in float32 what it was less what `decode`
   * makes of `out`. In `powerSgd`, a block with an infinity or a NaN stays behind as NaN.
   */
  take(vector: Vector, state: Vector, out: Bytes): void;
  /**
   * Writes every element; those that stay behind are zeros in `topK`. What was not finite is not: in `powerSgd` its whole
   * block, as is one of magnitudes beyond about 1e36. Any bytes can be decoded; an impossible index makes its block's first element NaN.
   */
  decode(bytes: Bytes, out: Vector): void;
}

const SIDE = 64;
const FLOAT_BYTES = Float32Array.BYTES_PER_ELEMENT;

/** Bytes of the first `length` elements as a compressor makes them. */
export function compressedBytes(compression: Compression, length: number): number {
  return wholeBlocks(length) * encodedBlockBytes(compression) + (length % NORM_BLOCK) * FLOAT_BYTES;
}

function encodedBlockBytes(compression: Compression): number {
  switch (compression.kind) {
    case 'topK':
      return keptOf(compression.ratio) * (FLOAT_BYTES + Uint16Array.BYTES_PER_ELEMENT);
    case 'powerSgd':
      return 2 * SIDE * compression.rank * FLOAT_BYTES;
  }
}

function wholeBlocks(length: number): number {
  return Math.floor(length / NORM_BLOCK);
}

/** Elements of a block that travel. */
function keptOf(ratio: number): number {
  return Math.max(1, Math.round(ratio * NORM_BLOCK));
}

export function createCompressor(kernels: KernelExports, compression: Compression): Compressor {
  const { blockState, reset, take, decode } = kernelsOf(kernels, compression);
  const bytesFor = (length: number): number => compressedBytes(compression, length);
  const stateLength = (length: number): number => wholeBlocks(length) * blockState;
  return {
    bytesFor,
    stateLength,
    resetState: ({ byteOffset, data }) => reset(byteOffset, data.byteLength),
    take(vector, state, out) {
      assert.equal(out.length, bytesFor(vector.length));
      assert.equal(state.length, stateLength(vector.length));
      take(out.byteOffset, vector.byteOffset, state.byteOffset, vector.data.byteLength);
    },
    decode(bytes, out) {
      assert.equal(bytes.length, bytesFor(out.length));
      decode(out.byteOffset, bytes.byteOffset, out.data.byteLength);
    },
  };
}

/** Byte offsets in kernel memory; `bytes` are those of the floats, in `reset` those of the state. */
interface CompressorKernels {
  /** Floats of the state of a block. */
  readonly blockState: number;
  reset(state: number, bytes: number): void;
  take(out: number, vector: number, state: number, bytes: number): void;
  decode(floats: number, encoded: number, bytes: number): void;
}

function kernelsOf(kernels: KernelExports, compression: Compression): CompressorKernels {
  switch (compression.kind) {
    case 'topK':
      return topKOf(kernels, compression.ratio);
    case 'powerSgd':
      return powerSgdOf(kernels, compression.rank);
  }
}

function topKOf(kernels: KernelExports, ratio: number): CompressorKernels {
  assert(ratio > 0 && ratio <= 0.5, `topK of ratio ${ratio}`);
  const kept = keptOf(ratio);
  return {
    blockState: 0,
    reset: () => undefined,
    take: (out, vector, _state, bytes) => kernels.takeTopK(out, vector, bytes, kept),
    decode: (floats, encoded, bytes) => kernels.decodeTopK(floats, encoded, bytes, kept),
  };
}

function powerSgdOf(kernels: KernelExports, rank: number): CompressorKernels {
  assert(Number.isInteger(rank) && rank >= 1 && rank <= 16, `powerSgd of rank ${rank}`);
  const blockState = SIDE * rank;
  return {
    blockState,
    reset(state, bytes) {
      assert.equal(bytes % (blockState * FLOAT_BYTES), 0);
      kernels.resetPowerSgd(state, bytes, rank);
    },
    take: (out, vector, state, bytes) => kernels.takePowerSgd(out, vector, state, bytes, rank),
    decode: (floats, encoded, bytes) => kernels.decodePowerSgd(floats, encoded, bytes, rank),
  };
}
