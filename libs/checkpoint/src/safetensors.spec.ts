import { layOutParameters } from '@lockstep/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeSafetensors, encodeSafetensors, flatFromTensors } from './safetensors.ts';

const layout = layOutParameters([
  { name: 'dense_Dense1/kernel', shape: [2, 3], kind: 'trainable' },
  { name: 'batch_normalization/moving_mean', shape: [3], kind: 'buffer' },
  { name: 'dense_Dense1/bias', shape: [3], kind: 'trainable' },
]);
const flat = Float32Array.from({ length: 12 }, (_, index) => index + 0.1);

const fileOf = (header: string, dataBytes: number) => {
  const bytes = new Uint8Array(8 + header.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(Buffer.from(header), 8);
  return bytes;
};
const tensor = (shape: readonly number[], begin: number, end: number, dtype = 'F32') => ({ dtype, shape, data_offsets: [begin, end] });

describe('encodeSafetensors', () => {
  it('writes the format: header length, JSON padded to 8 bytes, tensors in layout order', () => {
    const bytes = Buffer.concat(encodeSafetensors(layout, flat, { format: 'lockstep' }));
    const headerBytes = Number(bytes.readBigUInt64LE(0));
    const header = JSON.parse(bytes.subarray(8, 8 + headerBytes).toString()) as Record<string, unknown>;
    expect(headerBytes % 8).toBe(0);
    expect(header).toEqual({
      __metadata__: { format: 'lockstep' },
      'dense_Dense1/kernel': tensor([2, 3], 0, 24),
      'dense_Dense1/bias': tensor([3], 24, 36),
      'batch_normalization/moving_mean': tensor([3], 36, 48),
    });
    expect(bytes.readFloatLE(8 + headerBytes)).toBe(Math.fround(0.1));
  });

  it('comes back to the bit, NaN payloads and -0 included', () => {
    fc.assert(fc.property(fc.uint8Array({ minLength: 48, maxLength: 48 }), (bits) => {
      const values = new Float32Array(new Uint8Array(bits).buffer);
      const { tensors, metadata } = decodeSafetensors(Buffer.concat(encodeSafetensors(layout, values, { a: 'b' })));
      expect(new Uint8Array(flatFromTensors(layout, tensors).buffer)).toEqual(new Uint8Array(values.buffer));
      expect(metadata).toEqual({ a: 'b' });
    }), { numRuns: 50, seed: 7 });
  });

  it('refuses a vector of another length', () => {
    expect(() => encodeSafetensors(layout, flat.subarray(1), {})).toThrow('the flat vector has 11 elements, its layout 12');
  });
});

describe('decodeSafetensors', () => {
  it.each<[string, Uint8Array, string]>([
    ['an empty file', new Uint8Array(0), '0 bytes hold no header'],
    ['a header longer than the file', fileOf('{}', 0).subarray(0, 9), "the header's length is 2 bytes in a file of 9"],
    ['a header that is no object', fileOf('[]', 0), 'the header is not a JSON object'],
    ['a header that is not JSON', fileOf('{"a"', 0), 'the header is not JSON'],
    ['another dtype', fileOf(JSON.stringify({ w: tensor([1], 0, 4, 'F16') }), 4), 'tensor w has dtype "F16", expected "F32"'],
    ['a negative size', fileOf(JSON.stringify({ w: tensor([-1], 0, 4) }), 4), 'tensor w has shape [-1]'],
    ['a size that overflows', fileOf(JSON.stringify({ w: tensor([2 ** 52, 2 ** 52], 0, 4) }), 4), 'its data_offsets hold 4'],
    ['offsets that do not fit the shape', fileOf(JSON.stringify({ w: tensor([2], 0, 4) }), 4), 'tensor w of shape [2] needs 8 bytes, its data_offsets hold 4'],
    ['a truncated file', fileOf(JSON.stringify({ w: tensor([2], 0, 8) }), 4), 'tensor w ends at byte 8 of 4: the file is truncated'],
    ['overlapping tensors', fileOf(JSON.stringify({ v: tensor([1], 0, 4), w: tensor([1], 0, 4) }), 4), 'tensor w begins at byte 0, expected 4'],
    ['a hole', fileOf(JSON.stringify({ v: tensor([1], 4, 8) }), 8), 'tensor v begins at byte 4, expected 0'],
    ['bytes after the last tensor', fileOf(JSON.stringify({ v: tensor([1], 0, 4) }), 8), 'the tensors cover 4 bytes of 8'],
    ['metadata that is no text', fileOf(JSON.stringify({ __metadata__: { a: 1 } }), 0), '__metadata__ is not a map of texts'],
  ])('refuses %s', (_, bytes, reason) => {
    expect(() => decodeSafetensors(bytes)).toThrow(reason);
  });
});

describe('flatFromTensors', () => {
  const { tensors } = decodeSafetensors(Buffer.concat(encodeSafetensors(layout, flat, {})));

  it('names a tensor that is missing, unknown or of another shape', () => {
    expect(() => flatFromTensors(layout, tensors.slice(1))).toThrow('tensor dense_Dense1/kernel is missing');
    expect(() => flatFromTensors(layout, [...tensors, { name: 'x', shape: [1], data: new Float32Array(1) }])).toThrow('tensor x is not in the model');
    expect(() => flatFromTensors(layout, tensors.map((each) => ({ ...each, shape: [each.data.length] })))).toThrow("tensor dense_Dense1/kernel has shape [6], the model's is [2,3]");
  });
});

describe('whatever bytes are given', () => {
  const whole = new Uint8Array(Buffer.concat(encodeSafetensors(layout, flat, { format: 'lockstep' })));
  const jsonHeader = fc.json().map((json) => fileOf(json, 16));
  const damaged = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }).map((changes) => {
    const bytes = new Uint8Array(whole);
    for (const [at, byte] of changes) bytes[at] = byte;
    return bytes;
  });
  const entries = fc.dictionary(fc.string(), fc.record({ dtype: fc.constant('F32'), shape: fc.array(fc.oneof(fc.nat(4), fc.maxSafeInteger())), data_offsets: fc.array(fc.nat(20), { minLength: 2, maxLength: 2 }) }));
  const anything = fc.oneof(fc.uint8Array({ maxLength: 300 }), jsonHeader, damaged, fc.nat(whole.length).map((cut) => whole.subarray(0, cut)), entries.map((header) => fileOf(JSON.stringify(header), 16)));

  it('the reader gives tensors no bigger than the file, or says what is wrong', () => {
    fc.assert(fc.property(anything, (bytes) => {
      const outcome = attempt(() => decodeSafetensors(bytes));
      if ('tensors' in outcome) expect(outcome.tensors.reduce((sum, { data }) => sum + data.byteLength, 0)).toBeLessThanOrEqual(bytes.length);
      else expect(outcome).toMatchObject({ name: 'LockstepError', code: 'storage' });
    }), { numRuns: 3000, seed: 12 });
  });

  const attempt = <T extends object>(action: () => T): T | Error => {
    try {
      return action();
    } catch (error) {
      return error as Error;
    }
  };
});
