import { expect, it } from 'vitest';
import { bytesOf, sha256 } from './hashing.ts';

it('gives the standard\'s digests', () => {
  expect(sha256()).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  expect(sha256('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});

it('does not depend on how the bytes are cut into chunks', () => {
  expect(sha256('a', Buffer.from('b'), 'c')).toBe(sha256('abc'));
});

it('sees the bytes that a view has, of shared memory too, and no others', () => {
  const floats = new Float32Array(new SharedArrayBuffer(16));
  floats.set([1, 2, 3, 4]);
  expect([...bytesOf(floats.subarray(1, 2))]).toEqual([0, 0, 0, 64]);
  bytesOf(floats)[3] = 0;
  expect(floats[0]).not.toBe(1);
  expect(sha256(bytesOf(Float32Array.of(-0)))).not.toBe(sha256(bytesOf(Float32Array.of(0))));
});
