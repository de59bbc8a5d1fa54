import { expect, it } from 'vitest';
import { backoffMs } from './backoff.ts';

it('waits up to 50 ms, twice as long at each attempt up to 1 s, and never less than a tenth of it', () => {
  const attempts = [0, 1, 2, 3, 4, 5, 6, 5000];
  expect(attempts.map((attempt) => backoffMs(attempt, () => 1))).toEqual([50, 100, 200, 400, 800, 1000, 1000, 1000]);
  expect(attempts.map((attempt) => backoffMs(attempt, () => 0))).toEqual([5, 10, 20, 40, 80, 100, 100, 100]);
});
