import { LockstepError, messageOf } from '@lockstep/core';
import { storageError } from './storage-error.ts';

/** Primary result codes of SQLite (https://www.sqlite.org/rescode.html). */
const SQLITE = { error: 1, busy: 5, readOnly: 8, corrupt: 11, full: 13, cannotOpen: 14, notADatabase: 26 } as const;
const DAMAGED: ReadonlySet<number> = new Set([SQLITE.error, SQLITE.corrupt, SQLITE.notADatabase]);
/** The same reasons under the names that the operating system gives them. */
const ERRNOS: Readonly<Record<number, string>> = { [SQLITE.full]: 'ENOSPC', [SQLITE.readOnly]: 'EACCES', [SQLITE.cannotOpen]: 'EACCES' };

/** Another process has the database locked. */
export const isBusy = (error: unknown): boolean => codeOf(error) === SQLITE.busy;

/** What went wrong with a journal, as an error that names its file. */
export function asJournalError(path: string, error: unknown): LockstepError {
  if (error instanceof LockstepError) return error;
  const code = codeOf(error);
  if (DAMAGED.has(code)) return damagedJournal(path, messageOf(error), error);
  const errno = ERRNOS[code];
  return storageError(`cannot write ${path}`, errno === undefined ? error : Object.assign(new Error(messageOf(error), { cause: error }), { code: errno }));
}

export function damagedJournal(path: string, what: string, cause?: unknown): LockstepError {
  return new LockstepError('storage', `${path} is damaged: ${what}`, {
    hint: 'put back a copy of it, or train anew under another --run NAME',
    cause,
  });
}

/** Extended codes carry the primary one in their low byte. */
const codeOf = (error: unknown): number => Number((error as { errcode?: number }).errcode) & 0xff;
