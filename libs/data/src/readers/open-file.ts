import { readFile } from 'node:fs/promises';
import { gunzip, constants } from 'node:zlib';
import { promisify } from 'node:util';
import { LockstepError, messageOf } from '@lockstep/core';
import type { CleaningLog } from '../cleaning-report.ts';

const gunzipAsync = promisify(gunzip);
/** More than any image set that fits here; stops a small file that unpacks without end. */
const MAX_UNPACKED_BYTES = 4 * 1024 ** 3;

/** The whole file. A missing or unreadable one is a `not-found` or `data` error that names it. */
export async function readWholeFile(file: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  try {
    return await readFile(file, signal === undefined ? {} : { signal });
  } catch (error) {
    throw fileError(file, error);
  }
}

export function fileError(file: string, error: unknown): LockstepError {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT') return new LockstepError('not-found', `${file}: no such file`, { cause: error });
  if (code === 'ABORT_ERR') return new LockstepError('aborted', `reading ${file} was aborted`, { cause: error });
  return new LockstepError('data', `${file}: cannot be read: ${messageOf(error)}`, { cause: error });
}

/**
 * Unpacks a gzip file. One that ends early is `truncated`: an error, or, where bad samples are dropped, as much as it holds.
 */
export async function unpack(file: string, packed: Uint8Array, log: CleaningLog): Promise<Uint8Array> {
  try {
    return await gunzipAsync(packed, { maxOutputLength: MAX_UNPACKED_BYTES });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'Z_BUF_ERROR') {
      throw new LockstepError('data', `${file}: not a valid gzip file: ${messageOf(error)}`, { cause: error });
    }
    log.drop('truncated', { file, row: null }, `the gzip stream ends early, after ${packed.length} bytes`, 0);
    return gunzipAsync(packed, { maxOutputLength: MAX_UNPACKED_BYTES, finishFlush: constants.Z_SYNC_FLUSH });
  }
}
