import { medianOf, type StepEvent } from '@lockstep/core';
import type { Measurement } from '../measurement.ts';

/** The steps after a checkpoint that are to bear it. */
const BEARING = 50;

/** A run that is to be measured so takes a checkpoint every so many steps: each is borne by the first half of them. */
export const CHECKPOINT_EVERY = 2 * BEARING;

/**
 * What a checkpoint every 50 steps costs, within one run: the 50 steps after each checkpoint beside the 50 after those,
 * which bear none. They are too close in time for a noisy machine to tell them apart; of all such pairs the median counts.
 */
export function measureCheckpointing(steps: readonly StepEvent[]): Measurement {
  const pairs = steps.flatMap((first, index) => {
    if (first.step % CHECKPOINT_EVERY !== 0 || index === 0 || index + CHECKPOINT_EVERY > steps.length) return [];
    const [bearing, free] = [index, index + BEARING].map((from) => rateOf(steps, from));
    return bearing === undefined || free === undefined ? [] : [{ bearing, free }];
  });
  if (pairs.length === 0) throw new Error(`${steps.length} steps are too few to set those with a checkpoint beside those without`);
  const free = medianOf(pairs.map((pair) => pair.free));
  return { examplesPerSecond: free * medianOf(pairs.map((pair) => pair.bearing / pair.free)), withoutCheckpoints: free };
}

/** Images per second over half of the steps from one checkpoint to the next. */
function rateOf(steps: readonly StepEvent[], from: number): number {
  const half = steps.slice(from, from + BEARING);
  const seconds = steps[from + BEARING - 1]!.elapsedSeconds - steps[from - 1]!.elapsedSeconds;
  return half.reduce((sum, { numExamples }) => sum + numExamples, 0) / seconds;
}
