import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LockstepError } from '@lockstep/core';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPretrained } from '../open-pretrained.ts';
import { tiny } from '../testing/fixtures.ts';
import { readGgufTokenizer } from '../tokenizer/gguf-tokenizer.ts';
import { openGguf } from './gguf-file.ts';
import { openSafetensors } from './safetensors-file.ts';

let folder: string;
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'lockstep-hostile-')); });
afterAll(() => rmSync(folder, { recursive: true }));

function written(bytes: Uint8Array | string): string {
  const path = join(folder, 'file');
  writeFileSync(path, bytes);
  return path;
}

function safetensors(header: unknown, dataBytes: number, headerLength?: bigint): string {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(headerLength ?? BigInt(json.length));
  return written(Buffer.concat([length, json, Buffer.alloc(dataBytes)]));
}

const entry = (shape: readonly number[], begin: number, end: number, dtype = 'F32') => ({ dtype, shape, data_offsets: [begin, end] });

describe('openSafetensors', () => {
  it.each([
    ['a length beyond the file', () => safetensors({}, 0, 2n ** 40n), /header's length is 1099511627776 bytes in a file of 10/],
    ['a header that is not JSON', () => safetensors('{"a"', 0), /not a JSON object/],
    ['data that ends before its tensors', () => safetensors({ a: entry([4], 0, 16) }, 12), /the tensors end at byte \d+ of \d+/],
    ['a shape that its bytes do not fit', () => safetensors({ a: entry([3], 0, 16) }, 16), /tensor a of shape \[3\] needs 12 bytes, its data_offsets hold 16/],
    ['a negative size', () => safetensors({ a: entry([-1], 0, 16) }, 16), /tensor a: /],
    ['tensors that overlap', () => safetensors({ a: entry([2], 0, 8), b: entry([2], 4, 12) }, 12), /tensor b begins at byte/],
    ['an unknown dtype', () => safetensors({ a: entry([2], 0, 8, 'X9') }, 8), /tensor a has dtype X9/],
    ['no header', () => written('abc'), /3 bytes hold no header/],
  ])('refuses %s', (_, write, message) => {
    expect(() => openSafetensors(write())).toThrow(expect.objectContaining({ code: 'data', message: expect.stringMatching(message) }) as Error);
  });
});

describe('openGguf', () => {
  const sound = readFileSync(tiny('llama.gguf'));
  /** Behind them lie the tensors, where any byte is a value. */
  const HEADER_BYTES = 2016;

  it('refuses a file cut short anywhere', async () => {
    for (const length of [0, 3, 20, 700, HEADER_BYTES, sound.length - 64]) {
      await expect(openGguf(written(sound.subarray(0, length)))).rejects.toMatchObject({ code: 'data' });
    }
  });

  it('names a tensor of a type that is not read', async () => {
    const changed = Buffer.from(sound);
    const name = 'blk.0.attn_q.weight';
    const [Q6_K, offsetOfType] = [14, changed.indexOf(name) + name.length + 4 + 2 * 8];
    changed.writeUInt32LE(Q6_K, offsetOfType);
    await expect(openPretrained(written(changed))).rejects.toThrow(/blk\.0\.attn_q\.weight has type Q6_K, which Lockstep does not read/);
  });

  it('reads a header with changed bytes without harm or refuses it by name', async () => {
    const changes = fc.array(fc.tuple(fc.nat(HEADER_BYTES), fc.nat(255)), { minLength: 1, maxLength: 4 });
    await fc.assert(fc.asyncProperty(changes, async (bytes) => {
      const damaged = Buffer.from(sound);
      for (const [index, byte] of bytes) damaged[index] = byte;
      const path = written(damaged);
      const error = await readAll(path).catch((thrown: unknown) => thrown);
      if (error !== undefined) expect(error instanceof LockstepError && error.message.includes(path)).toBe(true);
    }), { numRuns: 100, seed: 20261124 });
  });

  async function readAll(path: string): Promise<void> {
    const { tensors } = await openPretrained(path);
    for (const { name } of tensors.tensors) tensors.read(name);
    readGgufTokenizer(await openGguf(path));
  }
});
