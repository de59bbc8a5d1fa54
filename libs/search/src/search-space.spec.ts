import { expect, it } from 'vitest';
import { planPoints } from './search-space.ts';

it('draws anew at each point of the grid', () => {
  const points = planPoints({ grid: [{ field: 'b', texts: ['1', '2'] }], random: [{ kind: 'linear', field: 'r', low: 0, high: 1, isWhole: false }], numDraws: 3, seed: 7 });
  expect(points.map(([b]) => b?.text)).toEqual(['1', '1', '1', '2', '2', '2']);
  expect(new Set(points.map(([, r]) => r?.text)).size).toBe(6);
});
