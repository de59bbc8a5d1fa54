import { deriveSeed, uniformStream } from '@lockstep/core';

/**
 * By which factor a worker computes slower (or faster) than usual in a step: log-normal with mean 1 and this relative standard
 * deviation. A function of the seed, the worker and the step, whatever else happens.
 */
export function jitterOf(seed: number, relative: number, worker: number, step: number): number {
  if (relative === 0) return 1;
  const uniform = uniformStream(deriveSeed(seed, 'simulation', worker, step));
  const variance = Math.log(1 + relative ** 2);
  return Math.exp(Math.sqrt(variance) * standardNormal(uniform) - variance / 2);
}

/** Box and Muller, 1958. */
function standardNormal(uniform: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}
