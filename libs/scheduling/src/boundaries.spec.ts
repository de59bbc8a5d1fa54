import fc from 'fast-check';
import { expect, it } from 'vitest';
import { nodesCovering } from '@lockstep/reduction';
import { rangeEnds } from './boundaries.ts';
import { fairShares, readyMs } from './fair-shares.ts';

/** Every way to cut `microBatches` into as many ranges as there are workers. */
function allEnds(workers: number, microBatches: number, from = 0): number[][] {
  if (workers === 1) return [[microBatches]];
  return Array.from({ length: microBatches - from + 1 }, (_, length) => from + length)
    .flatMap((end) => allEnds(workers - 1, microBatches, end).map((rest) => [end, ...rest]));
}
const lengths = (ends: readonly number[]): number[] => ends.map((end, worker) => end - (ends[worker - 1] ?? 0));
const numNodes = (ends: readonly number[]): number =>
  ends.reduce((sum, end, worker) => sum + Math.max(1, nodesCovering(ends[worker - 1] ?? 0, end).length), 0);

const milliseconds = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 4 });

it('shares work out so that no other way is ready earlier', () => {
  fc.assert(fc.property(milliseconds, fc.nat(8), (ms, amount) => {
    const shares = fairShares(ms, amount);
    expect(shares.reduce((sum, share) => sum + share, 0)).toBe(amount);
    const soonestMs = Math.min(...allEnds(ms.length, amount).map((ends) => readyMs(ms, lengths(ends))));
    expect(readyMs(ms, shares)).toBe(soonestMs);
  }), { seed: 1 });
});

it('finds the fewest nodes of all cuts that are ready within a tenth of the soonest and leave everyone most of its share', () => {
  fc.assert(fc.property(milliseconds, fc.nat(4), (ms, level) => {
    const shares = fairShares(ms, 2 ** level);
    const isFair = (ends: readonly number[]): boolean => readyMs(ms, lengths(ends)) <= readyMs(ms, shares) * 1.1
      && lengths(ends).every((length, worker) => length >= Math.floor((shares[worker] ?? 0) * 0.75));
    const ends = rangeEnds(ms, 2 ** level);
    expect(isFair(ends)).toBe(true);
    expect(numNodes(ends)).toBe(Math.min(...allEnds(ms.length, 2 ** level).filter(isFair).map(numNodes)));
  }), { seed: 1 });
});
