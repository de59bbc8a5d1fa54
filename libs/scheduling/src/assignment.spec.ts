import fc from 'fast-check';
import { expect, it } from 'vitest';
import { rankOf } from '@lockstep/core';
import { microBatchesOf } from '@lockstep/reduction';
import { assignEvenly } from './assignment.ts';

it('covers every micro-batch exactly once, for any number of workers', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 40 }), fc.nat(6), (workers, level) => {
    const ranks = Array.from({ length: workers }, (_, rank) => rankOf(rank));
    const computed = [...assignEvenly(ranks, 2 ** level).values()].flat().flatMap((node) => {
      const { from, to } = microBatchesOf(node);
      return Array.from({ length: to - from }, (_, index) => from + index);
    });
    expect(computed.sort((a, b) => a - b)).toEqual(Array.from({ length: 2 ** level }, (_, index) => index));
  }));
});

it('gives workers parts that differ by at most one micro-batch, and the rest nothing', () => {
  const sizes = (workers: number) => [...assignEvenly(Array.from({ length: workers }, (_, rank) => rankOf(rank)), 8).values()]
    .map((nodes) => nodes.reduce((sum, node) => sum + 2 ** node.level, 0));
  expect(sizes(3)).toEqual([3, 3, 2]);
  expect(sizes(5)).toEqual([2, 2, 2, 1, 1]);
  expect(sizes(10)).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 0, 0]);
});
