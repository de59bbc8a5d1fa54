import type { RateRange } from '@lockstep/core';

/** The elements `from … to - 1` in stretches of one learning rate each: those of `ranges`, which are in order and do not overlap, and what lies between them. */
export function rateStretches(ranges: readonly RateRange[], from: number, to: number): RateRange[] {
  const stretches: RateRange[] = [];
  let done = from;
  for (const range of ranges) {
    const [start, end] = [Math.max(range.from, from), Math.min(range.to, to)];
    if (start >= end) continue;
    if (done < start) stretches.push({ from: done, to: start, factor: 1 });
    stretches.push({ from: start, to: end, factor: range.factor });
    done = end;
  }
  return done < to ? [...stretches, { from: done, to, factor: 1 }] : stretches;
}
