import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { LockstepError, messageOf } from '@lockstep/core';

/** Some systems refuse to read more than 2 GiB at once. */
const MAX_READ_BYTES = 2 ** 30;

/**
 * Fills `target` with the bytes of a file from `offset` on.
 * @throws LockstepError `data` naming the file where it cannot be read or ends before.
 */
export function readInto(path: string, offset: number, target: Uint8Array): void {
  withFile(path, (file) => {
    for (let done = 0; done < target.length;) {
      const numBytes = readSync(file, target, done, Math.min(target.length - done, MAX_READ_BYTES), offset + done);
      if (numBytes === 0) throw new LockstepError('data', `${path} ends at byte ${offset + done}, expected ${target.length - done} bytes more`);
      done += numBytes;
    }
  });
}

/** @throws LockstepError `not-found` where there is no such file, `data` where it cannot be read. */
export function fileSize(path: string): number {
  return withFile(path, (file) => fstatSync(file).size);
}

function withFile<T>(path: string, use: (file: number) => T): T {
  let file: number | null = null;
  try {
    file = openSync(path, 'r');
    return use(file);
  } catch (cause) {
    if (cause instanceof LockstepError) throw cause;
    const code = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'not-found' : 'data';
    throw new LockstepError(code, `cannot read ${path}: ${messageOf(cause)}`, { cause });
  } finally {
    if (file !== null) closeSync(file);
  }
}
