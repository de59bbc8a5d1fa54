import assert from 'node:assert/strict';
import type { RoundedWire } from '@lockstep/core';
import { NORM_BLOCK } from './clipping.ts';
import { createCompressor, type Compression, type Compressor } from './compressor.ts';
import { createKernelMemory, instantiateKernels, LARGEST_MEMORY_BYTES, type KernelExports, type KernelMemory } from './kernel-module.ts';
import { createOptimizerKernels, type OptimizerKernels } from './kernels-optimizer.ts';
import { createVectorAllocator, sliceVector, type Vector, type VectorAllocator } from './vector.ts';
import { createWireFormats, type WireFormat } from './wire-format.ts';

/**
 * Strict IEEE float32 arithmetic on vectors of one shared WebAssembly memory: the same bits on any CPU and wherever a
 * vector is cut, denormals included. Only the payload of a NaN may differ. Other threads share the bytes, not this object.
 */
export interface Kernels extends VectorAllocator, OptimizerKernels {
  readonly memory: KernelMemory;
  readonly wireFormats: Readonly<Record<RoundedWire, WireFormat>>;
  /** Elements `from` up to `to` as a view; it is not released by itself. */
  slice(vector: Vector, from: number, to: number): Vector;
  /** `into += other` */
  add(into: Vector, other: Vector): void;
  /** `into = other`; two to four times as fast as `TypedArray.set` on shared memory. */
  copy(into: Vector, other: Vector): void;
  /** `vector /= divisor` in float32: the mean gradient from the sum. */
  divide(vector: Vector, divisor: number): void;
  /** `vector *= factor` in float32. */
  scale(vector: Vector, factor: number): void;
  /** Each element into `[-limit, limit]`. */
  clipByValue(vector: Vector, limit: number): void;
  /**
   * The sum of squares of each `blockLength` elements (the last block may be shorter), in double precision. Within a
   * block, lane `k` of 8 adds the elements `k, k + 8, ...`, lanes are added from 0 to 7, then the `length % 8` last
   * elements in order: so a block has the same sum wherever it is computed. Not finite where an element is not.
   */
  sumsOfSquares(vector: Vector, blockLength?: number): Float64Array;
  /** Of vectors, states and bytes in this memory; keeps nothing itself. */
  compressor(compression: Compression): Compressor;
  /** Looks at every element once: is it a number, and what are its bits? */
  scan(vector: Vector): Scan;
}

export interface Scan {
  /** The index of the first infinity or NaN, or -1. */
  readonly firstNonFinite: number;
  /** 32 bits that tell vectors of one length apart: one flipped bit always changes them; zeros have 0. */
  readonly digest: number;
}

export interface KernelOptions {
  /** The most that all vectors together may take. Default: what a WebAssembly memory can have, 4 GiB. */
  readonly maximumBytes?: number;
}

/** Throws LockstepError('prerequisite') where the kernels were not built. Memory is taken as vectors are allocated. */
export function createKernels({ maximumBytes = LARGEST_MEMORY_BYTES }: KernelOptions = {}): Kernels {
  const memory = createKernelMemory(maximumBytes);
  const kernels = instantiateKernels(memory);
  return {
    memory,
    wireFormats: createWireFormats(kernels),
    ...createVectorAllocator(memory),
    slice: sliceVector,
    ...elementwise(kernels),
    sumsOfSquares: (vector, blockLength = NORM_BLOCK) => sumsOfSquares(kernels, vector, blockLength),
    compressor: (compression) => createCompressor(kernels, compression),
    scan: (vector) => scan(kernels, vector),
    ...createOptimizerKernels(kernels),
  };
}

function elementwise(kernels: KernelExports): Pick<Kernels, 'add' | 'copy' | 'divide' | 'scale' | 'clipByValue'> {
  return {
    add(into, other) {
      assert.equal(other.length, into.length);
      kernels.add(into.byteOffset, other.byteOffset, into.data.byteLength);
    },
    copy(into, other) {
      assert.equal(other.length, into.length);
      kernels.copy(into.byteOffset, other.byteOffset, into.data.byteLength);
    },
    divide: ({ byteOffset, data }, divisor) => kernels.divide(byteOffset, data.byteLength, divisor),
    scale: ({ byteOffset, data }, factor) => kernels.scale(byteOffset, data.byteLength, factor),
    clipByValue: ({ byteOffset, data }, limit) => kernels.clipByValue(byteOffset, data.byteLength, limit),
  };
}

function sumsOfSquares(kernels: KernelExports, vector: Vector, blockLength: number): Float64Array {
  const blockBytes = blockLength * Float32Array.BYTES_PER_ELEMENT;
  const totalBytes = vector.data.byteLength;
  const sums = new Float64Array(Math.ceil(vector.length / blockLength));
  for (let block = 0; block < sums.length; block++) {
    const start = block * blockBytes;
    sums[block] = kernels.sumOfSquares(vector.byteOffset + start, Math.min(blockBytes, totalBytes - start));
  }
  return sums;
}

function scan(kernels: KernelExports, { byteOffset, data }: Vector): Scan {
  const result = kernels.scan(byteOffset, data.byteLength);
  const isFinite = result < DIGESTS;
  return { firstNonFinite: isFinite ? -1 : kernels.firstNonFinite(byteOffset, data.byteLength), digest: isFinite ? result : result - DIGESTS };
}

/** The kernel adds as much to the digest of a vector with an infinity or a NaN. */
const DIGESTS = 2 ** 32;
