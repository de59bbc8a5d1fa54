import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { LockstepError, messageOf, syncDirectory } from '@lockstep/core';

/**
 * Makes a directory whole or not at all: `fill` writes into a temporary one beside it, which is renamed. An empty one that is there already is replaced.
 * @throws LockstepError `usage` if the directory holds something, `storage` naming it and the reason, or what `fill` throws.
 */
export async function makeDirectory(directory: string, fill: (temporary: string) => Promise<void>): Promise<void> {
  const parent = dirname(directory);
  const temporary = join(parent, `.${basename(directory)}.partial-${randomUUID()}`);
  try {
    await mkdir(temporary, { recursive: true });
    await fill(temporary);
    await rename(temporary, directory);
    await syncDirectory(parent);
  } catch (cause) {
    await rm(temporary, { recursive: true, force: true });
    throw errorOf(directory, cause);
  }
}

function errorOf(directory: string, cause: unknown): LockstepError {
  if (cause instanceof LockstepError) return cause;
  const isTaken = ['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes((cause as NodeJS.ErrnoException).code ?? '');
  if (isTaken) return new LockstepError('usage', `${directory} is there already`, { hint: 'Remove it or name another directory.', cause });
  return new LockstepError('storage', `cannot write ${directory}: ${messageOf(cause)}`, { cause });
}
