import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LockstepError, messageOf } from '@lockstep/core';

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
    await rm(temporary, { force: true });
    throw new LockstepError('storage', `cannot write ${path}: ${messageOf(cause)}`, { cause });
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
    throw new LockstepError('storage', `cannot write ${directory}: ${messageOf(cause)}`, { cause });
  } finally {
    await rm(temporary, { recursive: true, force: true });
    await rm(replaced, { recursive: true, force: true });
  }
}

const temporaryNameOf = (path: string) => `${path}.partial-${process.pid}`;

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

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function ignoreAbsence(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
