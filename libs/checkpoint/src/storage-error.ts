import { LockstepError, messageOf } from '@lockstep/core';

const HINTS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full: free space there, or keep fewer checkpoints (checkpoints.keepLast)',
  EDQUOT: 'the quota is used up: free space there, or keep fewer checkpoints (checkpoints.keepLast)',
  EACCES: 'give the user that runs Lockstep the right to write there',
  EPERM: 'give the user that runs Lockstep the right to write there',
  EROFS: 'the file system is read-only: use a directory elsewhere (--runs-dir), or mount it writable',
};

/** A `storage` error that says what could not be done and, where the system's error tells it, the remedy. */
export function storageError(action: string, cause: unknown): LockstepError {
  const hint = HINTS[String((cause as NodeJS.ErrnoException | null)?.code)];
  return new LockstepError('storage', `${action}: ${messageOf(cause)}`, hint === undefined ? { cause } : { cause, hint });
}
