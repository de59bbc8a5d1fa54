import { LockstepError, messageOf } from '@lockstep/core';

/** What failed to be read, by name: `not-found`, or `data` with the reason. */
export function fileError(file: string, error: unknown): LockstepError {
  if (error instanceof LockstepError) return error;
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new LockstepError('not-found', `${file}: no such file`, { cause: error });
  return new LockstepError('data', `${file}: cannot be read: ${messageOf(error)}`, { cause: error });
}
