import { expect, it } from 'vitest';
import fc from 'fast-check';
import { NORM_BLOCK } from '@lockstep/reduction';
import { cutIntoShards } from './shard-range.ts';

it('covers the vector once, in order, in ranges that begin at blocks of the norm and differ by one block at most', () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 1_000_000 }), fc.integer({ min: 1, max: 256 }), (totalLength, shards) => {
    const ranges = cutIntoShards(totalLength, shards);
    expect(ranges).toHaveLength(shards);
    expect(ranges[0]?.from).toBe(0);
    expect(ranges.at(-1)?.to).toBe(totalLength);
    ranges.slice(1).forEach(({ from }, index) => expect(from).toBe(ranges[index]?.to));
    expect(ranges.every(({ from, to }) => (from % NORM_BLOCK === 0 || from === totalLength) && from <= to)).toBe(true);
    const blocks = ranges.map(({ from, to }) => Math.ceil((to - from) / NORM_BLOCK));
    expect(Math.max(...blocks) - Math.min(...blocks)).toBeLessThanOrEqual(1);
  }), { seed: 1 });
});

it('leaves some empty where there are more shards than blocks', () => {
  expect(cutIntoShards(NORM_BLOCK + 1, 3)).toEqual([{ from: 0, to: 0 }, { from: 0, to: NORM_BLOCK }, { from: NORM_BLOCK, to: NORM_BLOCK + 1 }]);
});
