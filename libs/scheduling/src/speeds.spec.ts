import { expect, it } from 'vitest';
import { rankOf } from '@lockstep/core';
import { withLate, withoutRank, withShares, type Speeds } from './speeds.ts';

const share = (rank: number, microBatches: number, computeMs: number) => ({ rank: rankOf(rank), microBatches, computeMs });
const speeds = (...ms: number[]): Speeds => new Map(ms.map((value, rank) => [rankOf(rank), value]));

it('takes a first measurement as it is and follows later ones with a weight', () => {
  const first = withShares(new Map(), [share(0, 4, 40), share(1, 0, 0)]);
  expect(first).toEqual(speeds(10));
  expect(withShares(first, [share(0, 4, 80)]).get(rankOf(0))).toBeCloseTo(12);
});

it('brings a worker without work back to the others\' speed in time, so that it is tried again', () => {
  let now = speeds(10, 200);
  for (let step = 0; step < 500; step += 1) now = withShares(now, [share(0, 8, 80)]);
  expect(now.get(rankOf(1))).toBeLessThan(30);
  expect(now.get(rankOf(1))).toBeGreaterThan(10);
});

it('counts a late worker as at least as slow as it has been, never as faster', () => {
  expect(withLate(speeds(10), [share(0, 2, 120)])).toEqual(speeds(20));
  expect(withLate(speeds(10), [share(0, 4, 8)])).toEqual(speeds(10));
  expect(withLate(new Map(), [share(0, 2, 120)])).toEqual(speeds(60));
});

it('forgets a worker that is gone, and survives a clock too coarse for a micro-batch', () => {
  expect(withoutRank(speeds(10, 20), rankOf(0))).toEqual(new Map([[rankOf(1), 20]]));
  expect(withShares(new Map(), [share(0, 4, 0)]).get(rankOf(0))).toBeGreaterThan(0);
});
