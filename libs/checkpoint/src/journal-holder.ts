import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { LockstepError } from '@lockstep/core';
import type { RunDirectory } from './run-directory.ts';
import { storageError } from './storage-error.ts';

/** The process that opens a journal, as another that is refused is told of it. */
export interface JournalHolder {
  readonly pid: number;
  readonly hostname: string;
}

const holderSchema = z.object({ pid: z.int(), hostname: z.string(), since: z.string() });
const holderFile = (run: RunDirectory): string => run.file('coordinator.json');

/** Says in `coordinator.json` who holds the lock. It is only for people: after a crash the file stays, and means nothing. */
export function writeHolder(run: RunDirectory, { pid, hostname }: JournalHolder): void {
  const path = holderFile(run);
  const temporary = `${path}.partial-${pid}`;
  try {
    writeFileSync(temporary, JSON.stringify({ pid, hostname, since: new Date().toISOString() }));
    renameSync(temporary, path);
  } catch (cause) {
    throw storageError(`cannot write ${path}`, cause);
  }
}

export const removeHolder = (run: RunDirectory): void => rmSync(holderFile(run), { force: true });

/** The refusal of a second coordinator, with who the first is. */
export function heldByAnother(run: RunDirectory, path: string, cause: unknown): LockstepError {
  return new LockstepError('usage', `the run has a coordinator already: ${describeHolder(run)} holds ${path}`, {
    hint: 'end that one first, or train under another --run NAME', cause,
  });
}

function describeHolder(run: RunDirectory): string {
  try {
    const { pid, hostname, since } = holderSchema.parse(JSON.parse(readFileSync(holderFile(run), 'utf8')));
    return `process ${pid} on ${hostname}, since ${since},`;
  } catch {
    return 'another process';
  }
}
