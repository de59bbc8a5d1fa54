import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { onceThereIsRoom } from './disk-room.ts';
import { LockstepError } from './errors.ts';

const full = (code: string): Error => new LockstepError('storage', 'cannot write', { cause: Object.assign(new Error('no room'), { code }) });

/** Fails so often, then gives its number of attempts. */
function attemptsThat(fail: Error, times: number): () => Promise<number> {
  let attempts = 0;
  return () => ((attempts += 1) > times ? Promise.resolve(attempts) : Promise.reject(fail));
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it.each(['ENOSPC', 'EDQUOT'])('tries again until there is room (%s), and says once that it waits', async (code) => {
  const onWaiting = vi.fn();
  const written = onceThereIsRoom(attemptsThat(full(code), 3), { goOn: () => true, onWaiting });
  await vi.advanceTimersByTimeAsync(1000);
  await expect(written).resolves.toBe(4);
  expect(onWaiting.mock.calls).toEqual([[full(code)]]);
});

it('gives up when it is not worth waiting any more', async () => {
  let isWorthIt = true;
  const written = onceThereIsRoom(attemptsThat(full('ENOSPC'), Infinity), { goOn: () => isWorthIt });
  const failed = expect(written).rejects.toThrow('cannot write');
  await vi.advanceTimersByTimeAsync(1000);
  isWorthIt = false;
  await vi.advanceTimersByTimeAsync(1000);
  await failed;
});

it('does not wait where the disk is not full', async () => {
  await expect(onceThereIsRoom(attemptsThat(full('EACCES'), 1), { goOn: () => true })).rejects.toThrow('cannot write');
});
