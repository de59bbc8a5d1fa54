import { LockstepError, messageOf } from '@lockstep/core';
import { createWriteStream, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Writable } from 'node:stream';

/** A stream that appends to a file, whose directory is made where it is missing. Throws `storage` where that cannot be. */
export function appendTo(path: string): Writable {
  try {
    mkdirSync(dirname(path), { recursive: true });
  } catch (error) {
    throw new LockstepError('storage', `cannot make ${dirname(path)}: ${messageOf(error)}`, { cause: error });
  }
  return createWriteStream(path, { flags: 'a' });
}
