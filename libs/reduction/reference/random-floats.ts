import { deriveSeed, uniformStream } from '@lockstep/core';

/** Seeded floats of every size that arithmetic meets: ordinary, huge, denormal, and zeros of both signs. */
export function randomFloats(length: number, seed: number): Float32Array {
  const uniform = uniformStream(deriveSeed(seed, 'inspection', length));
  return Float32Array.from({ length }, () => {
    const kind = uniform();
    const value = uniform() * 2 - 1;
    if (kind < 0.7) return value;
    if (kind < 0.8) return value * 1e30;
    if (kind < 0.9) return value * 1e-39;
    return value < 0 ? -0 : 0;
  });
}

/** The bits, with every NaN the same. */
export function bitsOf(values: Float32Array): Uint32Array {
  const copy = Float32Array.from(values, (value) => (Number.isNaN(value) ? Number.NaN : value));
  return new Uint32Array(copy.buffer);
}
