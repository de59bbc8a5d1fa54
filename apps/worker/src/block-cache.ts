import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { BlockReference__Output } from '@lockstep/transport';

/** Where a worker keeps the blocks that it fetched, by their SHA-256. */
const directory = (): string => join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'lockstep', 'blocks');

const pathOf = (reference: BlockReference__Output): string | null =>
  /^[0-9a-f]{64}$/.test(reference.sha256) ? join(directory(), reference.sha256) : null;

export async function readCachedBlock<T>(reference: BlockReference__Output, read: (path: string) => Promise<T | null>): Promise<T | null> {
  const path = pathOf(reference);
  return path === null ? null : read(path);
}

/** Keeps a block for later runs. A cache that cannot be written costs the next run a download, not this run. */
export async function writeCachedBlock(reference: BlockReference__Output, bytes: Uint8Array): Promise<void> {
  const path = pathOf(reference);
  if (path === null) return;
  const temporary = `${path}.partial-${randomUUID()}`;
  try {
    await mkdir(directory(), { recursive: true, mode: 0o700 });
    await writeFile(temporary, bytes, { mode: 0o600 });
    await rename(temporary, path);
  } catch {
    await rm(temporary, { force: true }).catch(() => undefined);
  }
}
