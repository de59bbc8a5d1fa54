import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LockstepError, syncDirectory } from '@lockstep/core';
import { storageError } from './storage-error.ts';

export type FileContents = string | Uint8Array | readonly Uint8Array[];

/**
 * Writes a file whole or not at all: to a temporary name beside it, synced, then renamed over it.
 * @throws LockstepError `storage` naming the file and the reason (disk full, not permitted).
 */
export async function writeFileAtomically(path: string, contents: FileContents): Promise<void> {
  const temporary = temporaryNameOf(path);
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeSynced(temporary, contents);
    await rename(temporary, path);
    await syncDirectory(dirname(path));
  } catch (cause) {
    await rm(temporary, { force: true }).catch(ignore);
    throw storageError(`cannot write ${path}`, cause);
  }
}

/**
 * Replaces a directory by what `fill` writes into an empty one, whole or not at all. A reader sees the old one or the new one,
 * or for the moment between two renames none.
 * @throws LockstepError `storage` naming the directory and the reason.
 */
export async function replaceDirectory(directory: string, fill: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = temporaryNameOf(directory);
  const replaced = `${temporary}-replaced`;
  try {
    await mkdir(temporary, { recursive: true });
    await fill(temporary);
    await syncDirectory(temporary);
    await rename(directory, replaced).catch(ignoreAbsence);
    await rename(temporary, directory);
    await syncDirectory(dirname(directory));
  } catch (cause) {
    if (cause instanceof LockstepError) throw cause;
    throw storageError(`cannot write ${directory}`, cause);
  } finally {
    await rm(temporary, { recursive: true, force: true }).catch(ignore);
    await rm(replaced, { recursive: true, force: true }).catch(ignore);
  }
}

const PARTIAL = '.partial-';
/** A process id alone comes again: in a container it is 1 each time. */
const PROCESS_MARK = `${PARTIAL}${process.pid}-${randomBytes(4).toString('hex')}`;

/** The name that something is written under until it is whole. */
export const temporaryNameOf = (path: string): string => `${path}${PROCESS_MARK}`;

/** Whether a write left this name that was not of this thread: where no other writes, one of a process that is gone. */
export const isLeftover = (name: string): boolean => name.includes(PARTIAL) && !name.includes(PROCESS_MARK);

async function writeSynced(path: string, contents: FileContents): Promise<void> {
  const file = await open(path, 'w');
  try {
    for (const chunk of Array.isArray(contents) ? (contents as readonly Uint8Array[]) : [contents as string | Uint8Array]) {
      await file.appendFile(chunk);
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

/** What went wrong before is what the caller learns of. */
const ignore = (): void => undefined;

function ignoreAbsence(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
