import type { Rank } from '@lockstep/core';

/** How long each worker computes at a micro-batch, in milliseconds: exponentially weighted over its steps. */
export type Speeds = ReadonlyMap<Rank, number>;

/** What a worker computed of a step: the time is that of all its micro-batches together. */
export interface Share {
  readonly rank: Rank;
  readonly microBatches: number;
  readonly computeMs: number;
}

/** The weight of a worker's newest step. */
const NEWEST = 0.2;
/** How far a step without work brings a worker's speed back to the mean, so that one measured slow is tried again. */
const FORGETTING = 0.005;
/** A clock too coarse for a micro-batch must not make a worker infinitely fast. */
const LEAST_MS = 1e-3;

/** The speeds after a finished step. */
export function withShares(speeds: Speeds, shares: readonly Share[]): Speeds {
  const measured = shares.filter(({ microBatches }) => microBatches > 0);
  const next = new Map(speeds);
  for (const share of measured) next.set(share.rank, weighted(speeds.get(share.rank), msPerMicroBatch(share)));
  if (measured.length === 0 || measured.length === next.size) return next;
  const mean = meanOf(measured.map(msPerMicroBatch));
  const worked = new Set(measured.map(({ rank }) => rank));
  for (const [rank, ms] of speeds) {
    if (!worked.has(rank)) next.set(rank, ms + FORGETTING * (mean - ms));
  }
  return next;
}

/** The speeds after a step that others finished for these workers: each is at least as slow as the time it had already had. */
export function withLate(speeds: Speeds, late: readonly Share[]): Speeds {
  const next = new Map(speeds);
  for (const share of late) next.set(share.rank, Math.max(speeds.get(share.rank) ?? 0, weighted(speeds.get(share.rank), msPerMicroBatch(share))));
  return next;
}

export const withoutRank = (speeds: Speeds, rank: Rank): Speeds => new Map([...speeds].filter(([other]) => other !== rank));

/** The milliseconds a micro-batch of each of `ranks`; the mean of the known ones for a worker that has not computed yet. */
export function speedsOf(ranks: readonly Rank[], speeds: Speeds): number[] {
  const known = ranks.flatMap((rank) => speeds.get(rank) ?? []);
  const mean = known.length === 0 ? 1 : meanOf(known);
  return ranks.map((rank) => speeds.get(rank) ?? mean);
}

const msPerMicroBatch = ({ computeMs, microBatches }: Share): number => Math.max(LEAST_MS, computeMs / microBatches);

const weighted = (before: number | undefined, ms: number): number => (before === undefined ? ms : before + NEWEST * (ms - before));

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
