import { expect, it } from 'vitest';
import { bytesOf } from '@lockstep/core';
import { versionFile } from './exchange-files.ts';
import { createSharedDirectory } from './shared-directory.ts';
import { SharedFile } from './shared-file.ts';
import { CHUNK_BYTES, SHARED_CHUNK_BYTES } from './tensor-frame.ts';
import { framesIn } from './testing/raw-exchange.ts';
import { VersionFeed } from './version-feed.ts';

const reader = () => ({ numWakes: 0, wake() { this.numWakes += 1; } });

const floatsIn = (parts: readonly Uint8Array[]): number[] =>
  framesIn(...parts.map((part) => Buffer.from(part))).flatMap(({ payload }) => [...new Float32Array(payload.buffer.slice(payload.byteOffset, payload.byteOffset + payload.byteLength))]);

it('keeps a version as it was while somebody is being sent it, and then uses its memory again', () => {
  const feed = new VersionFeed(null);
  const parameters = Float32Array.of(1, 2, 3);
  const versions = [1, 2].map((version) => {
    const outgoing = feed.begin('inline', version, 12);
    outgoing.grow(bytesOf(parameters), 12);
    parameters.fill(9);
    return outgoing;
  });
  const [first, second] = [versions[0]!, versions[1]!];
  const readers = [reader(), reader()] as const;
  for (const each of readers) first.hold(each);
  for (const each of readers) first.release(each);
  first.hold(readers[0]);
  first.retire();
  expect(floatsIn(feed.begin('inline', 2, 12).parts)).toEqual([]);
  expect(floatsIn(first.parts)).toEqual([1, 2, 3]);
  expect(floatsIn(second.parts)).toEqual([9, 9, 9]);
  first.release(readers[0]);
  const third = feed.begin('inline', 3, 12);
  third.grow(bytesOf(Float32Array.of(4, 5, 6)), 12);
  expect(third.parts[1]?.buffer).toBe(first.parts[1]?.buffer);
  expect(floatsIn(second.parts)).toEqual([9, 9, 9]);
  expect(floatsIn(third.parts)).toEqual([4, 5, 6]);
});

it('gives what is made of a version as it is made, in chunks that are worth a message', () => {
  const feed = new VersionFeed(null);
  const parameters = bytesOf(Float32Array.from({ length: CHUNK_BYTES / 2 + 3 }, (_, index) => index));
  const outgoing = feed.begin('inline', 5, parameters.length);
  const waiting = reader();
  outgoing.hold(waiting);
  const made = [0, 100, CHUNK_BYTES, CHUNK_BYTES + 8, 2 * CHUNK_BYTES, parameters.length, parameters.length].map((numBytes) => {
    outgoing.grow(parameters, numBytes);
    return { parts: outgoing.parts.length, wakes: waiting.numWakes, isComplete: outgoing.isComplete };
  });
  expect(made.map(({ wakes }) => wakes)).toEqual([0, 0, 1, 1, 2, 3, 3]);
  expect(made.map(({ parts }) => parts)).toEqual([0, 0, 2, 2, 4, 6, 6]);
  expect(made.map(({ isComplete }) => isComplete)).toEqual([false, false, false, false, false, true, true]);
  expect(floatsIn(outgoing.parts)).toEqual([...new Float32Array(parameters.buffer)]);
});

it('puts a version in its file as it is made, and from where that takes no more in the frames', () => {
  const directory = createSharedDirectory(0)!;
  const feed = new VersionFeed(directory);
  const parameters = bytesOf(Float32Array.from({ length: (3 * SHARED_CHUNK_BYTES) / 4 }, (_, index) => index));
  const outgoing = feed.begin('shared', 7, parameters.length);
  outgoing.grow(parameters, SHARED_CHUNK_BYTES);
  const file = SharedFile.open(versionFile(directory.path, 1));
  const read = new Uint8Array(SHARED_CHUNK_BYTES);
  expect(file.read(7, 0, read)).toBe(true);
  expect(Buffer.compare(read, parameters.subarray(0, SHARED_CHUNK_BYTES))).toBe(0);
  feed.close();
  outgoing.grow(parameters, 2 * SHARED_CHUNK_BYTES);
  outgoing.grow(parameters, parameters.length);
  const frames = framesIn(...outgoing.parts.map((part) => Buffer.from(part)));
  expect(frames[0]!.header).toMatchObject({ carrier: 'shared', slot: 1, step: 7, offset: 0, count: SHARED_CHUNK_BYTES });
  expect(new Set(frames.slice(1).map(({ header }) => header.carrier))).toEqual(new Set(['inline']));
  expect(Buffer.compare(Buffer.concat(frames.slice(1).map(({ payload }) => payload)), parameters.subarray(SHARED_CHUNK_BYTES))).toBe(0);
  file.close();
  directory.remove();
});

it('gives an empty version one frame', () => {
  const outgoing = new VersionFeed(null).begin('inline', 1, 0);
  expect(outgoing.isComplete).toBe(false);
  for (let time = 0; time < 2; time += 1) outgoing.grow(new Uint8Array(0), 0);
  expect(outgoing.isComplete).toBe(true);
  expect(framesIn(...outgoing.parts.map((part) => Buffer.from(part))).map(({ header }) => [header.kind, header.step, header.length])).toEqual([['version', 1, 0]]);
});
