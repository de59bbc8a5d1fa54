import { createHash } from 'node:crypto';
import { closeSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';

/** What one call writes, reads or hashes at most: a part of a big file, for the system's limit of 2 GiB a call. */
const PART_BYTES = 64 * 1024 * 1024;

/** Makes a new file of the chunks, one after another, and syncs it. Blocks the thread. */
export function writeWhole(path: string, chunks: readonly Uint8Array[]): { readonly bytes: number; readonly sha256: string } {
  const hash = createHash('sha256');
  let bytes = 0;
  const file = openSync(path, 'wx');
  try {
    for (const part of chunks.flatMap(partsOf)) {
      hash.update(part);
      for (let written = 0; written < part.length;) written += writeSync(file, part, written);
      bytes += part.length;
    }
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** Reads a file that must have so many bytes. Blocks the thread. */
export function readWhole(path: string, expectedBytes: number): { readonly bytes: Uint8Array; readonly sha256: string } {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    if (size !== expectedBytes) throw new Error(`it has ${size} bytes, expected ${expectedBytes}`);
    const bytes = new Uint8Array(size);
    const hash = createHash('sha256');
    for (const part of partsOf(bytes)) {
      readAll(file, part);
      hash.update(part);
    }
    return { bytes, sha256: hash.digest('hex') };
  } finally {
    closeSync(file);
  }
}

/** So that a name that was made or removed in a directory stays so. */
export function syncDirectoryNow(directory: string): void {
  const handle = openSync(directory, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function readAll(file: number, part: Uint8Array): void {
  for (let filled = 0; filled < part.length;) {
    const count = readSync(file, part, filled, part.length - filled, null);
    if (count === 0) throw new Error(`it ended ${part.length - filled} bytes early`);
    filled += count;
  }
}

function partsOf(bytes: Uint8Array): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / PART_BYTES) }, (_, index) => bytes.subarray(index * PART_BYTES, (index + 1) * PART_BYTES));
}
