import assert from 'node:assert/strict';
import { LockstepError } from '@lockstep/core';
import { PAGE_BYTES, type KernelMemory } from './kernel-module.ts';

/** Float32 numbers in kernel memory; every thread that holds `data` sees the same bytes. */
export interface Vector {
  /** A view of shared memory; stays valid when the memory grows. */
  readonly data: Float32Array<SharedArrayBuffer>;
  /** Where it starts in kernel memory: a multiple of 64 unless it is a slice. */
  readonly byteOffset: number;
  /** Elements. */
  readonly length: number;
}

/** Encoded numbers in kernel memory. */
export interface Bytes {
  /** A view of shared memory; stays valid when the memory grows. */
  readonly data: Uint8Array<SharedArrayBuffer>;
  /** Where it starts in kernel memory; anywhere. */
  readonly byteOffset: number;
  readonly length: number;
}

/** Cuts vectors out of one growing WebAssembly memory. */
export interface VectorAllocator {
  /** A vector that holds anything until it is written. Throws LockstepError('config') where the memory's maximum is reached. */
  allocate(length: number): Vector;
  /** A vector of zeros; otherwise as `allocate`. */
  allocateZeros(length: number): Vector;
  /** Gives the bytes back; the vector and its slices must not be used again. */
  release(vector: Vector): void;
  /** Bytes that hold anything until they are written; otherwise as `allocate`. */
  allocateBytes(length: number): Bytes;
  /** As `release`. */
  releaseBytes(bytes: Bytes): void;
}

const ALIGNMENT = 64;
const BYTES_PER_ELEMENT = Float32Array.BYTES_PER_ELEMENT;

export function createVectorAllocator(memory: KernelMemory): VectorAllocator {
  const taken = new Set<number>();
  /** By size. */
  const freeOffsets = new Map<number, number[]>();
  let top = ALIGNMENT;

  function extend(bytes: number): number {
    const offset = top;
    const missing = offset + bytes - memory.buffer.byteLength;
    if (missing > 0) growBy(memory, missing);
    top = offset + bytes;
    return offset;
  }

  function take(bytes: number): number {
    const offset = freeOffsets.get(bytes)?.pop() ?? extend(bytes);
    taken.add(offset);
    return offset;
  }

  function giveBack(offset: number, bytes: number): void {
    assert(taken.delete(offset), `release of what is not allocated, at ${offset}`);
    const offsets = freeOffsets.get(bytes);
    if (offsets === undefined) freeOffsets.set(bytes, [offset]);
    else offsets.push(offset);
  }

  function allocate(length: number): Vector {
    const byteOffset = take(aligned(length * BYTES_PER_ELEMENT));
    return { data: new Float32Array(memory.buffer, byteOffset, length), byteOffset, length };
  }

  return {
    allocate,
    allocateZeros(length) {
      const vector = allocate(length);
      vector.data.fill(0);
      return vector;
    },
    release: ({ byteOffset, length }) => giveBack(byteOffset, aligned(length * BYTES_PER_ELEMENT)),
    allocateBytes(length) {
      const byteOffset = take(aligned(length));
      return { data: new Uint8Array(memory.buffer, byteOffset, length), byteOffset, length };
    },
    releaseBytes: ({ byteOffset, length }) => giveBack(byteOffset, aligned(length)),
  };
}

/** Elements `from` up to `to` of a vector: the same bytes, owned by that vector. */
export function sliceVector(vector: Vector, from: number, to: number): Vector {
  if (!(from >= 0 && from <= to && to <= vector.length)) {
    throw new RangeError(`slice ${from}..${to} of a vector of ${vector.length} elements`);
  }
  return { data: vector.data.subarray(from, to), byteOffset: vector.byteOffset + from * BYTES_PER_ELEMENT, length: to - from };
}

/** Bytes `from` up to `to`: the same memory, owned by those. */
export function sliceBytes({ data, byteOffset }: Bytes, from: number, to: number): Bytes {
  return { data: data.subarray(from, to), byteOffset: byteOffset + from, length: to - from };
}

function growBy(memory: KernelMemory, bytes: number): void {
  try {
    memory.grow(Math.ceil(bytes / PAGE_BYTES));
  } catch (cause) {
    throw new LockstepError('config', `the vectors of one shard host do not fit in their memory: ${memory.buffer.byteLength} bytes are taken, ${bytes} more are needed`, {
      hint: 'Use more shards, so that each holds a smaller range.',
      cause,
    });
  }
}

function aligned(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / ALIGNMENT)) * ALIGNMENT;
}
