import fc from 'fast-check';
import { expect, it } from 'vitest';
import { rateStretches } from './rate-stretches.ts';

it('covers every element once, in order, each at its own rate', () => {
  const ranges = fc.uniqueArray(fc.nat(100), { maxLength: 12 }).map((ends) => {
    const sorted = ends.toSorted((a, b) => a - b);
    return sorted.flatMap((from, at) => (at % 2 === 0 && sorted[at + 1] !== undefined ? [{ from, to: sorted[at + 1]!, factor: at + 2 }] : []));
  });
  fc.assert(fc.property(ranges, fc.nat(100), fc.nat(100), (given, a, b) => {
    const [from, to] = [Math.min(a, b), Math.max(a, b)];
    const rates = rateStretches(given, from, to).flatMap((stretch) => Array.from({ length: stretch.to - stretch.from }, (_, index) => [stretch.from + index, stretch.factor]));
    const expected = Array.from({ length: to - from }, (_, index) => [from + index, given.find((range) => from + index >= range.from && from + index < range.to)?.factor ?? 1]);
    expect(rates).toEqual(expected);
  }), { seed: 1 });
});
