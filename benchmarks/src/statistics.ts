import { medianOf } from '@lockstep/core';

/** What repetitions of a ratio gave. */
export interface RatioSummary {
  readonly median: number;
  readonly least: number;
  readonly greatest: number;
}

/**
 * Ours over theirs, pair by pair, then the median: the two of a pair ran one after the other, so that a machine that
 * slows down for a while slows both.
 */
export function pairedRatio(ours: readonly number[], theirs: readonly number[]): RatioSummary {
  if (ours.length !== theirs.length || ours.length === 0) throw new RangeError(`${ours.length} and ${theirs.length} figures are no pairs`);
  const ratios = ours.map((figure, repetition) => figure / theirs[repetition]!);
  return { median: medianOf(ratios), least: Math.min(...ratios), greatest: Math.max(...ratios) };
}
