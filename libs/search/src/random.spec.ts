import { assert, constantFrom, double, integer, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawPoint, type RandomAxis } from './random.ts';

describe('random draws', () => {
  const range = record({ low: double({ min: 1e-8, max: 1e3, noNaN: true }), ratio: double({ min: 1, max: 1e6, noNaN: true }), kind: constantFrom('linear', 'log') })
    .map(({ low, ratio, kind }): RandomAxis => ({ kind, field: 'rate', low, high: low * ratio, isWhole: false }));
  const seeds = integer({ min: 0, max: 2 ** 31 });

  it('stay within their bounds', () => {
    assert(property(range, seeds, seeds, (axis, seed, trial) => {
      const value = Number(drawPoint([axis], seed, trial)[0]!.text);
      if (axis.kind === 'choice') throw new Error('a range was asked for');
      expect(value).toBeGreaterThanOrEqual(axis.low);
      expect(value).toBeLessThanOrEqual(axis.high);
    }));
  });

  it('are a pure function of seed, trial and field, whatever else is drawn', () => {
    assert(property(range, seeds, seeds, (axis, seed, trial) => {
      const other: RandomAxis = { kind: 'choice', field: 'other', texts: ['x', 'y'] };
      expect(drawPoint([other, axis], seed, trial)[1]).toEqual(drawPoint([axis], seed, trial)[0]);
    }));
  });

  const drawn = (axis: RandomAxis, count: number) => Array.from({ length: count }, (_, trial) => drawPoint([axis], 1, trial)[0]!.text);

  it('have an even logarithm on a log range', () => {
    const decades = drawn({ kind: 'log', field: 'rate', low: 1e-5, high: 1e-1, isWhole: false }, 4000).map((text) => Math.floor(Math.log10(Number(text))));
    for (const decade of [-5, -4, -3, -2]) expect(Math.abs(decades.filter((found) => found === decade).length - 1000)).toBeLessThan(100);
  });

  it('take each whole number and each choice about equally often', () => {
    for (const axis of [{ kind: 'linear', field: 'n', low: 3, high: 6, isWhole: true }, { kind: 'choice', field: 'n', texts: ['3', '4', '5', '6'] }] as const) {
      const texts = drawn(axis, 4000);
      for (const text of ['3', '4', '5', '6']) expect(Math.abs(texts.filter((found) => found === text).length - 1000)).toBeLessThan(100);
    }
  });
});
