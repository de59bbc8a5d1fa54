import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDirectory, LockstepError } from '@lockstep/core';
import type { BlockReference__Output } from '@lockstep/transport';

/** Where a block that a worker fetched lies once it is kept, by its SHA-256; '' of a reference without a SHA-256. */
export const cachedBlockPath = (reference: BlockReference__Output): string => (/^[0-9a-f]{64}$/.test(reference.sha256) ? join(cacheDirectory('blocks'), reference.sha256) : '');

/** Keeps what `write` writes for later runs, whole or not at all. @returns where it lies */
export async function storeBlock(reference: BlockReference__Output, write: (file: FileHandle) => Promise<void>): Promise<string> {
  const path = cachedBlockPath(reference);
  if (path === '') throw new LockstepError('protocol', `a block named ${JSON.stringify(reference.sha256)}, expected a SHA-256`);
  const temporary = `${path}.partial-${randomUUID()}`;
  await mkdir(cacheDirectory('blocks'), { recursive: true, mode: 0o700 });
  try {
    const file = await open(temporary, 'wx', 0o600);
    await write(file).finally(() => file.close());
    await rename(temporary, path);
    return path;
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
}
