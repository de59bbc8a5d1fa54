import { expect, it } from 'vitest';
import { Backoff, backoffMs } from './backoff.ts';

it('waits up to 50 ms, twice as long at each attempt up to 1 s, and never less than a tenth of it', () => {
  const attempts = [0, 1, 2, 3, 4, 5, 6, 5000];
  expect(attempts.map((attempt) => backoffMs(attempt, () => 1))).toEqual([50, 100, 200, 400, 800, 1000, 1000, 1000]);
  expect(attempts.map((attempt) => backoffMs(attempt, () => 0))).toEqual([5, 10, 20, 40, 80, 100, 100, 100]);
});

it('begins anew after a connection that stood for a second, and after no shorter one', () => {
  const backoff = new Backoff(() => 1);
  expect([backoff.broke(0), backoff.broke(0)]).toEqual([{ waitMs: 50, attempt: 0 }, { waitMs: 100, attempt: 1 }]);
  backoff.opened(5_000);
  expect(backoff.broke(6_000)).toEqual({ waitMs: 200, attempt: 2 });
  backoff.opened(7_000);
  expect(backoff.broke(8_001)).toEqual({ waitMs: 50, attempt: 0 });
  expect(backoff.broke(9_999)).toEqual({ waitMs: 100, attempt: 1 });
});
