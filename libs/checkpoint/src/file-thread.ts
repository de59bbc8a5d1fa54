import { createHash } from 'node:crypto';
import { closeSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import type { FileAnswer, FileRequest, WriteRequest, ReadRequest } from './file-jobs.ts';

/** What one call writes, reads or hashes at most: a part of a big file, for the system's limit of 2 GiB a call. */
const PART_BYTES = 64 * 1024 * 1024;

parentPort!.on('message', ({ id, request }: { id: number; request: FileRequest }) => {
  try {
    const answer = request.kind === 'write' ? write(request) : read(request);
    parentPort!.postMessage({ id, answer }, answer.kind === 'read' ? [answer.bytes.buffer as ArrayBuffer] : []);
  } catch (error) {
    parentPort!.postMessage({ id, error, code: (error as NodeJS.ErrnoException).code });
  }
});

function write({ path, chunks, hashLastChunk }: WriteRequest): FileAnswer & { kind: 'written' } {
  const whole = createHash('sha256');
  let bytes = 0;
  const file = openSync(path, 'wx');
  try {
    for (const part of chunks.flatMap(partsOf)) {
      whole.update(part);
      writeAll(file, part);
      bytes += part.length;
    }
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  return { kind: 'written', bytes, sha256: whole.digest('hex'), lastChunkSha256: hashLastChunk ? hashOf(chunks.at(-1)!) : null };
}

function writeAll(file: number, part: Uint8Array): void {
  for (let written = 0; written < part.length;) written += writeSync(file, part, written);
}

function read({ path, expectedBytes }: ReadRequest): FileAnswer & { kind: 'read' } {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    if (size !== expectedBytes) throw new Error(`it has ${size} bytes, expected ${expectedBytes}`);
    const bytes = new Uint8Array(size);
    for (const part of partsOf(bytes)) readAll(file, part);
    return { kind: 'read', bytes, sha256: hashOf(bytes) };
  } finally {
    closeSync(file);
  }
}

function readAll(file: number, part: Uint8Array): void {
  for (let filled = 0; filled < part.length;) {
    const count = readSync(file, part, filled, part.length - filled, null);
    if (count === 0) throw new Error(`it ended ${part.length - filled} bytes early`);
    filled += count;
  }
}

function hashOf(bytes: Uint8Array): string {
  const hash = createHash('sha256');
  for (const part of partsOf(bytes)) hash.update(part);
  return hash.digest('hex');
}

function partsOf(bytes: Uint8Array): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / PART_BYTES) }, (_, index) => bytes.subarray(index * PART_BYTES, (index + 1) * PART_BYTES));
}
