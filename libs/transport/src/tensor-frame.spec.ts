import { expect, it } from 'vitest';
import fc from 'fast-check';
import { bytesOf, LockstepError } from '@lockstep/core';
import { blankHeader, CHUNK_BYTES, encodeFrame, framesOf, HEADER_BYTES, MAX_FRAME_BYTES, type FrameHeader, type TensorFrame } from './tensor-frame.ts';
import { anyFloats } from './testing/float-bits.ts';
import { framesIn } from './testing/raw-exchange.ts';

const decodeFrame = (frame: Buffer): TensorFrame => {
  const [decoded, ...others] = framesIn(frame);
  expect(others).toEqual([]);
  return decoded!;
};

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const headers = fc.record({
  kind: fc.constantFrom('initial', 'version', 'norms', 'gradient', 'state', 'ack'),
  carrier: fc.constant('inline'),
  slot: fc.integer({ min: 0, max: 0xffff }),
  step: u32,
  node: fc.record({ level: u32, index: u32 }),
  tally: fc.record({ numExamples: u32, numCorrect: u32, lossSum: fc.double(), numNonFinite: u32 }),
  computeMs: fc.float(),
  offset: fc.integer({ min: 0, max: 1000 }),
}) as fc.Arbitrary<Omit<FrameHeader, 'count' | 'length'>>;

it('gives back the header and the bytes of any frame', () => {
  fc.assert(fc.property(headers, fc.uint8Array({ maxLength: 400 }), (fields, bytes) => {
    const payload = bytes;
    const header: FrameHeader = { ...fields, count: payload.length, length: fields.offset + payload.length };
    const decoded = decodeFrame(encodeFrame(header, payload));
    expect(decoded.header).toEqual(header);
    expect([...decoded.payload]).toEqual([...payload]);
  }), { seed: 1 });
});

it('lays the fields out little-endian where the table says', () => {
  const frame = encodeFrame({
    kind: 'partial', carrier: 'shared', slot: 0x0102, step: 3, node: { level: 4, index: 5 },
    tally: { numExamples: 6, numCorrect: 7, lossSum: 0.5, numNonFinite: 0x10 }, computeMs: 2, offset: 8, count: 9, length: 0x0a0b0c0d,
  }, Buffer.from('aabbccdd', 'hex'), [0x0102_0304, 0xffff_ffff]);
  expect(frame.toString('hex')).toBe(
    '48000000' + '01010201' + '03000000' + '04000000' + '05000000' + '06000000' + '07000000' + '00000040' + '000000000000e03f' + '08000000' + '09000000'
    + '0d0c0b0a' + '10000000' + '02000000' + '04030201' + 'ffffffff' + 'aabbccdd');
});

it.each([0, 1, CHUNK_BYTES / 4, CHUNK_BYTES / 4 + 1, 300_000])('cuts a slice of %i floats into chunks that together are the same bits', (length) => {
  const floats = anyFloats(length, length);
  const chunks = framesOf('version', { step: 7 }, floats).map(decodeFrame);
  expect(chunks).toHaveLength(Math.max(1, Math.ceil((length * 4) / CHUNK_BYTES)));
  expect(chunks.map(({ header }) => header.offset)).toEqual(chunks.map((_, chunk) => chunk * CHUNK_BYTES));
  expect(chunks.every(({ header }) => header.kind === 'version' && header.step === 7 && header.length === length * 4)).toBe(true);
  expect(Buffer.concat(chunks.map(({ payload }) => payload)).equals(bytesOf(floats))).toBe(true);
});

it('copies the floats, which may change at once', () => {
  const floats = Float32Array.of(1, 2);
  const [frame] = framesOf('gradient', {}, floats);
  floats.fill(9);
  expect(decodeFrame(frame!).payload.readFloatLE(0)).toBe(1);
});

const whole = encodeFrame({ ...blankHeader, kind: 'partial', count: 8, length: 8 }, new Uint8Array(8), [5]);
const partialWith = (fields: Partial<FrameHeader>, digests = [5]): Buffer => encodeFrame({ ...blankHeader, kind: 'partial', count: 8, length: 8, ...fields }, new Uint8Array(8), digests);
const changed = (position: number, value: number): Buffer => {
  const frame = Buffer.from(whole);
  frame.writeUInt8(value, position);
  return frame;
};

const announcing = (numBytes: number): Buffer => {
  const frame = Buffer.from(whole);
  frame.writeUInt32LE(numBytes, 0);
  return frame;
};

it.each([
  ['no bytes', announcing(0), `0 bytes, expected 60 to ${MAX_FRAME_BYTES}`],
  ['a cut header', announcing(HEADER_BYTES - 1), `59 bytes, expected 60 to ${MAX_FRAME_BYTES}`],
  ['more than a chunk', announcing(MAX_FRAME_BYTES + 1), `${MAX_FRAME_BYTES + 1} bytes, expected 60 to ${MAX_FRAME_BYTES}`],
  ['a cut payload', announcing(HEADER_BYTES + 11), '7 payload bytes, expected 8'],
  ['more digests than bytes', changed(59, 255), '4278190081 digests in 72 bytes'],
  ['a partial without its digest', partialWith({}, []), '0 digests, expected 1'],
  ['digests on a later chunk', partialWith({ offset: 8, length: 16 }), '1 digests, expected 0'],
  ['too few digests', partialWith({ node: { level: 4, index: 0 } }), '1 digests, expected 16'],
  ['digests on a version', encodeFrame({ ...blankHeader, kind: 'version' }, undefined, [1]), '1 digests on a version'],
  ['a loss that is no number', partialWith({ tally: { ...blankHeader.tally, lossSum: Number.NaN } }), 'loss sum NaN, expected a number'],
  ['a time that is none', partialWith({ computeMs: -1 }), '-1 milliseconds of computing, expected a number'],
  ['a payload that is too long', announcing(whole.byteLength + 1), '9 payload bytes, expected 8'],
  ['an unknown kind', changed(4, 13), 'kind 13, expected 0 to 12'],
  ['an unknown carrier', changed(5, 2), 'carrier 2, expected 0 or 1'],
  ['a payload beside a shared file', changed(5, 1), '8 payload bytes, expected 0'],
  ['more than the whole', changed(48, 1), 'bytes 0 to 8 of 1'],
  ['an offset beyond the whole', changed(40, 1), 'bytes 1 to 9 of 8'],
])('rejects %s', (_, frame, message) => {
  expect(() => decodeFrame(frame)).toThrow(new LockstepError('protocol', `malformed tensor frame: ${message}`));
});

it('rejects extents whose sum would wrap around in 32 bits', () => {
  const frame = encodeFrame({ ...blankHeader, kind: 'version', carrier: 'shared', offset: 0xffff_ffff, count: 2, length: 1 });
  expect(() => decodeFrame(frame)).toThrow('bytes 4294967295 to 4294967297 of 1');
});
