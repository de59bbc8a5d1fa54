/** Elements of one sum of squares. Shards start at multiples of it, so that blocks do not depend on the cut. */
export const NORM_BLOCK = 4096;

const TINY = 1e-6;

/**
 * What the whole gradient is multiplied by so that its L2 norm is at most `limit`: `limit / (norm + 1e-6)`, at most 1
 * (PyTorch's `clip_grad_norm_`). Adds the blocks of all shards in block order, in double precision. NaN where a block is.
 */
export function clippingFactor(blockSums: Float64Array, limit: number): number {
  let sum = 0;
  for (const blockSum of blockSums) sum += blockSum;
  return Math.min(1, limit / (Math.sqrt(sum) + TINY));
}
