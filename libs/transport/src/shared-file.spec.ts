import { mkdtempSync, openSync, closeSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Worker } from 'node:worker_threads';
import { bytesOf } from '@lockstep/core';
import { SharedFile } from './shared-file.ts';
import { anyFloats, bitsOf } from './testing/float-bits.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync('/dev/shm/shared-file-spec-');
});
afterEach(() => rmSync(directory, { recursive: true }));

function pair(): { readonly writer: SharedFile; readonly reader: SharedFile; readonly path: string } & Disposable {
  const path = join(directory, 'floats');
  const writer = SharedFile.create(path);
  const reader = SharedFile.open(path);
  return { writer, reader, path, [Symbol.dispose]: () => [writer, reader].forEach((file) => file.close()) };
}

it('gives a reader the bits that the writer put under the stamp', () => {
  using file = pair();
  const floats = bytesOf(anyFloats(1, 100_000));
  expect(file.writer.put(7, 0, floats)).toBe(true);
  const read = new Uint8Array(floats.length);
  expect(file.reader.read(7, 0, read)).toBe(true);
  expect(bitsOf(read)).toBe(bitsOf(floats));
});

it('reads and writes at an offset, in bytes', () => {
  using file = pair();
  file.writer.put(0, 0, new Uint8Array(3));
  file.writer.put(0, 3, Uint8Array.of(1, 2, 3));
  const read = new Uint8Array(2);
  expect(file.reader.read(0, 4, read)).toBe(true);
  expect([...read]).toEqual([2, 3]);
});

it('says that another stamp, a newer or an older one, is not what it holds', () => {
  using file = pair();
  file.writer.put(7, 0, Uint8Array.of(1));
  file.writer.put(8, 0, Uint8Array.of(2));
  const read = new Uint8Array(1);
  expect(file.reader.read(7, 0, read)).toBe(false);
  expect(file.reader.read(9, 0, read)).toBe(false);
  expect(file.reader.read(8, 0, read)).toBe(true);
});

it('holds nothing before the first write, and an empty slice after an empty write', () => {
  using file = pair();
  expect(file.reader.read(0, 0, new Uint8Array(0))).toBe(false);
  file.writer.put(0, 0, new Uint8Array(0));
  expect(file.reader.read(0, 0, new Uint8Array(0))).toBe(true);
});

it('does not give out a slice that is not whole', () => {
  using file = pair();
  file.writer.put(1, 0, new Uint8Array(100));
  expect(file.reader.read(1, 0, new Uint8Array(101))).toBe(false);
  truncateSync(file.path, statSync(file.path).size - 1);
  expect(file.reader.read(1, 0, new Uint8Array(100))).toBe(false);
});

const KEEP_WRITING = `
  import { workerData } from 'node:worker_threads';
  const { SharedFile } = await import(workerData.module);
  const file = SharedFile.create(workerData.path);
  const floats = new Float32Array(workerData.length);
  for (let stamp = 1; stamp <= workerData.writes; stamp += 1) {
    file.put(stamp, 0, new Uint8Array(floats.fill(stamp).buffer));
    Atomics.store(workerData.newest, 0, stamp);
    if (stamp === 1) Atomics.notify(workerData.newest, 0);
  }`;

it('never takes a torn slice for a whole one while another thread keeps writing', () => {
  const path = join(directory, 'raced');
  const [writes, length] = [1000, 100_000];
  const newest = new Int32Array(new SharedArrayBuffer(4));
  const module = new URL('./shared-file.ts', import.meta.url).href;
  const writer = new Worker(new URL(`data:text/javascript,${encodeURIComponent(KEEP_WRITING)}`), { workerData: { module, path, length, writes, newest } });
  expect(Atomics.wait(newest, 0, 0, 10_000)).not.toBe('timed-out');
  const file = SharedFile.open(path);
  const read = new Float32Array(length);
  let torn = 0;
  for (let stamp = 0; stamp < writes;) {
    stamp = Atomics.load(newest, 0);
    if (file.read(stamp, 0, bytesOf(read)) && (read[0] !== stamp || read[length - 1] !== stamp)) torn += 1;
  }
  expect(file.read(writes, 0, bytesOf(read))).toBe(true);
  expect(torn).toBe(0);
  file.close();
  return writer.terminate();
});

it('is its owner\'s alone, and never takes the place of a file', () => {
  using file = pair();
  expect(statSync(file.path).mode & 0o777).toBe(0o600);
  expect(() => SharedFile.create(file.path)).toThrow('EEXIST');
  symlinkSync(join(directory, 'elsewhere'), join(directory, 'link'));
  expect(() => SharedFile.create(join(directory, 'link'))).toThrow('EEXIST');
});

it('opens plain files only, and leaves no descriptor open where it refuses', () => {
  const probe = openSync(directory, 'r');
  closeSync(probe);
  expect(() => SharedFile.open(directory)).toThrow(`${directory} is not a plain file`);
  const next = openSync(directory, 'r');
  closeSync(next);
  expect(next).toBe(probe);
});

it('touches no descriptor after it is closed, whoever has its number then', () => {
  const file = SharedFile.create(join(directory, 'closed'));
  file.close();
  const other = join(directory, 'other');
  writeFileSync(other, 'precious');
  const descriptor = openSync(other, 'r+');
  expect(file.put(1, 0, Uint8Array.of(1))).toBe(false);
  expect(() => file.read(1, 0, new Uint8Array(1))).toThrow('the shared file is closed');
  file.close();
  expect(statSync(other).size).toBe(8);
  closeSync(descriptor);
});
