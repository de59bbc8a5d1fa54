import { expect, it } from 'vitest';
import { Change } from './change.ts';

const never = new AbortController().signal;

it('wakes who waits, and nobody who comes later', async () => {
  const change = new Change();
  const first = change.next(never);
  change.notify();
  await first;
  let woken = false;
  const second = change.next(never).then(() => {
    woken = true;
  });
  await Promise.resolve();
  expect(woken).toBe(false);
  change.notify();
  await second;
});

it('rejects a wait with the signal\'s reason, and goes on', async () => {
  const change = new Change();
  const abort = new AbortController();
  const waiting = change.next(abort.signal);
  const other = change.next(never);
  abort.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  await expect(change.next(abort.signal)).rejects.toThrow('enough');
  change.notify();
  await other;
});
