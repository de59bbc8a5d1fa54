import type { Rank } from '@lockstep/core';
import { nodesCovering, type TreeNode } from '@lockstep/reduction';

/** Which tree nodes each worker computes by itself: a hint for speed, which changes no result. */
export type Assignment = ReadonlyMap<Rank, readonly TreeNode[]>;

/**
 * Cuts the micro-batches of a step evenly over the workers, each a contiguous range in whole subtrees, so that few
 * partials travel. With more workers than micro-batches the last ones have nothing to do.
 */
export function assignEvenly(ranks: readonly Rank[], microBatches: number): Assignment {
  const busy = Math.min(ranks.length, microBatches);
  const boundary = (worker: number): number => Math.floor((Math.min(worker, busy) * microBatches) / busy);
  return new Map(ranks.map((rank, worker) => [rank, nodesCovering(boundary(worker), boundary(worker + 1))]));
}
