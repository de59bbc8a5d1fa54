import { expect, it } from 'vitest';
import { bytesOf } from '@lockstep/core';
import { framesIn } from './testing/raw-exchange.ts';
import { VersionCopies } from './version-copies.ts';

const floatsIn = (parts: readonly Uint8Array[]): number[] =>
  framesIn(...parts.map((part) => Buffer.from(part))).flatMap(({ payload }) => [...new Float32Array(payload.buffer.slice(payload.byteOffset, payload.byteOffset + payload.byteLength))]);

it('keeps a version as it was while somebody is being sent it, and then uses its memory again', () => {
  const copies = new VersionCopies();
  const parameters = Float32Array.of(1, 2, 3);
  const first = copies.take(1, bytesOf(parameters));
  first.hold();
  first.hold();
  parameters.fill(9);
  first.release();
  const second = copies.take(2, bytesOf(parameters));
  second.hold();
  expect(floatsIn(first.parts)).toEqual([1, 2, 3]);
  expect(floatsIn(second.parts)).toEqual([9, 9, 9]);
  first.release();
  const third = copies.take(3, bytesOf(Float32Array.of(4, 5, 6)));
  expect(third.parts[1]?.buffer).toBe(first.parts[1]?.buffer);
  expect(floatsIn(second.parts)).toEqual([9, 9, 9]);
  expect(floatsIn(third.parts)).toEqual([4, 5, 6]);
});
