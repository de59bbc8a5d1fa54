import { describe, expect, it } from 'vitest';
import { pairedRatio } from './statistics.ts';

describe('pairedRatio', () => {
  it('takes the ratio of each pair before the median', () => {
    // The machine was half as fast in the second round; the medians of each side (20 and 20) would say 1.
    expect(pairedRatio([30, 10, 20], [20, 8, 40])).toEqual({ median: 1.25, least: 0.5, greatest: 1.5 });
  });

  it('is that of the one pair where there is one', () => {
    expect(pairedRatio([3], [4])).toEqual({ median: 0.75, least: 0.75, greatest: 0.75 });
  });

  it('refuses figures that are no pairs', () => {
    expect(() => pairedRatio([1, 2], [1])).toThrow('2 and 1 figures are no pairs');
    expect(() => pairedRatio([], [])).toThrow(RangeError);
  });
});
