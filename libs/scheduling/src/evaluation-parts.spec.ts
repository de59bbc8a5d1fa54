import { expect, it } from 'vitest';
import fc from 'fast-check';
import { rankOf } from '@lockstep/core';
import { dealParts, evaluationPartRange, numEvaluationParts, redealParts, sizeOfImages, sizeOfRows } from './evaluation-parts.ts';

it('covers every sample once, in order, in parts of equal size but the last', () => {
  const numSamples = fc.integer({ min: 0, max: 20_000 });
  const sizes = fc.oneof(numSamples.map(sizeOfImages), fc.tuple(numSamples, fc.integer({ min: 2, max: 9000 })).map(([rows, length]) => sizeOfRows(rows, length)));
  fc.assert(fc.property(sizes, (size) => {
    const ranges = Array.from({ length: numEvaluationParts(size) }, (_, part) => evaluationPartRange(part, size));
    let next = 0;
    for (const { from, to } of ranges) {
      expect(from).toBe(next);
      expect(to).toBeGreaterThan(from);
      expect(to - from).toBeLessThanOrEqual(size.partSamples);
      next = to;
    }
    expect(next).toBe(size.numSamples);
    expect(ranges.slice(0, -1).every(({ from, to }) => to - from === size.partSamples)).toBe(true);
  }), { seed: 1 });
});

it('deals every part to one worker, evenly, whatever their ranks', () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 50 }), fc.uniqueArray(fc.nat(100), { minLength: 1, maxLength: 9 }), (numParts, numbers) => {
    const dealt = dealParts(numParts, numbers.map(rankOf));
    expect([...dealt.keys()]).toEqual(numbers);
    expect([...dealt.values()].flat().sort((a, b) => a - b)).toEqual(Array.from({ length: numParts }, (_, part) => part));
    const counts = [...dealt.values()].map(({ length }) => length);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
  }), { seed: 1 });
});

it('deals what a lost worker has not evaluated to the others in turn', () => {
  expect(redealParts([3, 7, 11], [0, 2].map(rankOf))).toEqual(new Map([[0, [3, 11]], [2, [7]]]));
});
