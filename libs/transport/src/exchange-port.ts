import type { Tally, TreeNode } from '@lockstep/reduction';

/** What a partial's frames say of it. */
export interface PartialHeader {
  readonly step: number;
  readonly node: TreeNode;
  readonly tally: Tally;
  /** How long the worker's gradients of this node took. */
  readonly computeMs: number;
}

/**
 * What a shard offers to the streams of its workers. Destinations are memory of the shard: bytes arrive in place, and
 * each that was given out is committed or abandoned once.
 */
export interface ShardPort {
  /** Elements of the shard's range. */
  readonly length: number;
  /** Where to put a partial's slice, or null where it is of no use: its micro-batches are covered or its step is over. */
  reserve(rank: number, header: PartialHeader): Float32Array | null;
  /** The destination of `reserve` is filled. */
  commit(rank: number, header: PartialHeader, destination: Float32Array): void;
  /** The stream ended before the destination was filled. */
  abandon(rank: number, header: PartialHeader, destination: Float32Array): void;
  /** Where to put the initial parameters, or null where the shard has some. */
  reserveInitial(): Float32Array | null;
  commitInitial(destination: Float32Array): void;
  abandonInitial(destination: Float32Array): void;
}

/** What a worker does with the versions that arrive from one shard. */
export interface VersionPort {
  /** Where to put the shard's range of this version, or null where it is of no use any more. */
  reserve(version: number): Float32Array | null;
  commit(version: number): void;
  abandon(version: number): void;
}
