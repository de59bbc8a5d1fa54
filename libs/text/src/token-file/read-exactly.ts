import { readSync } from 'node:fs';
import { LockstepError } from '@lockstep/core';

/** `numBytes` of an open file from `position` on. One that ends before is a `data` error that names it. */
export function readExactly(path: string, descriptor: number, numBytes: number, position: number): Uint8Array {
  const bytes = new Uint8Array(numBytes);
  for (let done = 0; done < numBytes;) {
    const numRead = readSync(descriptor, bytes, done, numBytes - done, position + done);
    if (numRead === 0) throw new LockstepError('data', `${path}: truncated: the file ends at byte ${position + done}, expected ${numBytes} bytes from ${position} on`);
    done += numRead;
  }
  return bytes;
}
