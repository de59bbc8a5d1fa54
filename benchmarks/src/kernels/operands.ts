import type { Kernels, Vector } from '@lockstep/reduction';

/** The CNN's parameters, which stay in a core's cache, and as many as stream from memory. */
export const IN_CACHE = 421_642;
export const IN_MEMORY = 16_000_000;

const VALUE = 1e-3;

export function filledVector(kernels: Kernels, length: number): Vector {
  const vector = kernels.allocate(length);
  vector.data.fill(VALUE);
  return vector;
}

export function filledArray(length: number): Float32Array {
  return new Float32Array(length).fill(VALUE);
}

export function millions(length: number): string {
  return `${(length / 1e6).toFixed(1)} M`;
}
