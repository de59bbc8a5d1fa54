import { LockstepError } from '@lockstep/core';

/** Aborted when the process that started this one has ended; never where it was started by hand. */
export function signalOfParent(): AbortSignal {
  const controller = new AbortController();
  process.once('disconnect', () => controller.abort(new LockstepError('aborted', 'the process that started this one has ended')));
  // Listening to it must not keep this process alive.
  process.channel?.unref();
  return controller.signal;
}
