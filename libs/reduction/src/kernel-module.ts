import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { LockstepError } from '@lockstep/core';

/** What `assembly/*.ts` export. Vectors are byte offsets, extents are bytes (of floats), scalars are rounded to float32. */
export interface KernelExports {
  add(into: number, other: number, bytes: number): void;
  copy(into: number, other: number, bytes: number): void;
  divide(vector: number, bytes: number, divisor: number): void;
  scale(vector: number, bytes: number, factor: number): void;
  clipByValue(vector: number, bytes: number, limit: number): void;
  sumOfSquares(vector: number, bytes: number): number;
  scan(vector: number, bytes: number): number;
  firstNonFinite(vector: number, bytes: number): number;
  encodeBf16(out: number, floats: number, bytes: number): void;
  decodeBf16(floats: number, encoded: number, bytes: number): void;
  roundBf16(vector: number, bytes: number): void;
  addRoundedBf16(into: number, other: number, bytes: number): void;
  encodeInt8(out: number, floats: number, bytes: number): void;
  decodeInt8(floats: number, encoded: number, bytes: number): void;
  roundInt8(vector: number, bytes: number): void;
  addRoundedInt8(into: number, other: number, bytes: number): void;
  takeTopK(out: number, vector: number, bytes: number, kept: number): void;
  decodeTopK(floats: number, encoded: number, bytes: number, kept: number): void;
  /** `bytes` are those of the state. */
  resetPowerSgd(state: number, bytes: number, rank: number): void;
  takePowerSgd(out: number, vector: number, state: number, bytes: number, rank: number): void;
  decodePowerSgd(floats: number, encoded: number, bytes: number, rank: number): void;
  sgd(parameters: number, gradient: number, bytes: number, rate: number, l2: number): void;
  momentum(parameters: number, gradient: number, velocities: number, bytes: number, rate: number, l2: number, momentum: number): void;
  nesterov(parameters: number, gradient: number, velocities: number, bytes: number, rate: number, l2: number, momentum: number): void;
  adam(
    parameters: number, gradient: number, means: number, variances: number, bytes: number, stepSize: number, epsilon: number,
    meanWeight: number, varianceDecay: number, varianceWeight: number, l2: number, shrink: number,
  ): void;
  rmsprop(
    parameters: number, gradient: number, squares: number, bytes: number, rate: number,
    squareDecay: number, squareWeight: number, epsilon: number, l2: number,
  ): void;
  rmspropMomentum(
    parameters: number, gradient: number, squares: number, velocities: number, bytes: number, rate: number,
    squareDecay: number, squareWeight: number, epsilon: number, l2: number, momentum: number,
  ): void;
}

/** Shared memory that grows in place: views of its earlier buffers stay valid. */
export interface KernelMemory {
  readonly buffer: SharedArrayBuffer;
  /** Grows by pages of 64 KiB. Throws RangeError beyond the maximum. */
  grow(pages: number): number;
}

/** What is used of the global; its types come only with the DOM's. */
declare const WebAssembly: {
  readonly Memory: new (limits: { initial: number; maximum: number; shared: true }) => KernelMemory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: { env: { memory: KernelMemory } }) => { readonly exports: object };
};

export const PAGE_BYTES = 65_536;
/** The most that a WebAssembly memory can have, less a page: so that the end of any vector is a 32-bit address. */
export const LARGEST_MEMORY_BYTES = 2 ** 32 - PAGE_BYTES;

const WASM_PATH = fileURLToPath(new URL('../build/kernels.wasm', import.meta.url));
let compiled: object | undefined;

/** Reserves address space for `maximumBytes`, takes memory as it grows. */
export function createKernelMemory(maximumBytes: number): KernelMemory {
  assert(maximumBytes > 0 && maximumBytes <= LARGEST_MEMORY_BYTES, `kernel memory of ${maximumBytes} bytes`);
  return new WebAssembly.Memory({ initial: 1, maximum: Math.ceil(maximumBytes / PAGE_BYTES), shared: true });
}

/** Throws LockstepError('prerequisite') where the kernels were not built. */
export function instantiateKernels(memory: KernelMemory): KernelExports {
  compiled ??= new WebAssembly.Module(readKernels());
  return new WebAssembly.Instance(compiled, { env: { memory } }).exports as KernelExports;
}

function readKernels(): Buffer<ArrayBuffer> {
  try {
    return readFileSync(WASM_PATH);
  } catch (cause) {
    throw new LockstepError('prerequisite', `the reduction kernels are not built: ${WASM_PATH} cannot be read`, {
      hint: 'Run `node libs/reduction/assembly/build.mjs` (part of `npm start` and `npm test`).',
      cause,
    });
  }
}
