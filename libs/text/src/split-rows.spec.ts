import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitRows } from './split-rows.ts';

describe('rows', () => {
  it('are split without loss, in order, each share rounded', () => {
    expect(splitRows(100, { validation: 0.1, test: 0.055 })).toEqual({ training: { from: 0, to: 84 }, validation: { from: 84, to: 94 }, test: { from: 94, to: 100 } });
    const share = fc.double({ min: 0, max: 0.4, noNaN: true });
    fc.assert(fc.property(fc.integer({ min: 5, max: 1e9 }), share, share, (numRows, validation, test) => {
      const splits = splitRows(numRows, { validation, test });
      expect([splits.training.from, splits.training.to, splits.validation.to, splits.test.to]).toEqual([0, splits.validation.from, splits.test.from, numRows]);
      expect(Math.abs(splits.test.to - splits.test.from - test * numRows)).toBeLessThanOrEqual(1);
    }), { seed: 3 });
  });

  it('give at least one to a share above 0, none to one of 0', () => {
    expect(splitRows(3, { validation: 0.001, test: 0 })).toMatchObject({ validation: { from: 2, to: 3 }, test: { from: 3, to: 3 } });
  });

  it('cannot all be held out', () => {
    expect(() => splitRows(2, { validation: 0.1, test: 0.1 })).toThrow(/2 rows, of which 1 are for validation and 1 for the test/);
  });
});
