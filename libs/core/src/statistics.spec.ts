import { describe, expect, it } from 'vitest';
import { medianOf } from './statistics.ts';

describe('medianOf', () => {
  it('is the middle of an odd number of values in any order', () => {
    expect(medianOf([9, 1, 5])).toBe(5);
  });

  it('is the mean of the two in the middle of an even number', () => {
    expect(medianOf([10, 1, 2, 4])).toBe(3);
  });

  it('is not a number of no values', () => {
    expect(medianOf([])).toBeNaN();
  });

  it('compares values as numbers and leaves them in their order', () => {
    const values = [100, 20, 3];
    expect(medianOf(values)).toBe(20);
    expect(values).toEqual([100, 20, 3]);
  });
});
