import { NORM_BLOCK } from '@lockstep/reduction';

/** A contiguous part of the flat vector, in float32 elements. */
export interface ShardRange {
  readonly from: number;
  readonly to: number;
}

/**
 * Cuts the flat vector into `shards` ranges of nearly equal length that start at multiples of the norm's block, so that
 * a block's sum of squares does not depend on the cut. With more shards than blocks some ranges are empty.
 */
export function cutIntoShards(totalLength: number, shards: number): ShardRange[] {
  const blocks = Math.ceil(totalLength / NORM_BLOCK);
  const boundary = (shard: number): number => Math.min(totalLength, Math.floor((shard * blocks) / shards) * NORM_BLOCK);
  return Array.from({ length: shards }, (_, shard) => ({ from: boundary(shard), to: boundary(shard + 1) }));
}
