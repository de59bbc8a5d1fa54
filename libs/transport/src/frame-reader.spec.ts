import { expect, it } from 'vitest';
import fc from 'fast-check';
import { LockstepError } from '@lockstep/core';
import { FrameReader } from './frame-reader.ts';
import { blankHeader, encodeFrame, framesOf, HEADER_BYTES, MAX_FRAME_BYTES, type TensorFrame } from './tensor-frame.ts';
import { anyFloats } from './testing/float-bits.ts';
import { framesIn } from './testing/raw-exchange.ts';

const partial = { step: 3, node: { level: 1, index: 2 } };
const sent = [
  encodeFrame(blankHeader, Buffer.from('{"a":1}')),
  ...framesOf('partial', partial, anyFloats(1, 17), [5, 6]),
  encodeFrame({ ...blankHeader, kind: 'ack', step: 9 }),
  encodeFrame({ ...blankHeader, kind: 'finished' }),
  encodeFrame({ ...blankHeader, kind: 'partial', carrier: 'shared', ...partial, count: 68, length: 68 }, undefined, [7, 8]),
  ...framesOf('version', { step: 4 }, anyFloats(2, 1000)),
];
const bytes = Buffer.concat(sent);

/** Cuts bytes at these places. */
function cutAt(places: readonly number[]): Buffer[] {
  const ends = [...new Set([...places, bytes.byteLength])].toSorted((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

/** Parts of one slice put together again. */
function joined(frames: readonly TensorFrame[]): TensorFrame[] {
  const whole: TensorFrame[] = [];
  for (const frame of frames) {
    const last = whole.at(-1);
    const { header } = frame;
    if (last === undefined || header.offset === 0 || header.kind !== last.header.kind) whole.push(frame);
    else {
      expect(header.offset).toBe(last.header.offset + last.header.count);
      expect(frame.digests).toHaveLength(0);
      whole[whole.length - 1] = { ...last, header: { ...last.header, count: last.header.count + header.count }, payload: Buffer.concat([last.payload, frame.payload]) };
    }
  }
  return whole;
}

it('gives the same frames wherever the bytes are cut', () => {
  const expected = sent.flatMap((frame) => framesIn(frame));
  expect(expected.map(({ header }) => header.kind)).toEqual(['hello', 'partial', 'ack', 'finished', 'partial', 'version']);
  fc.assert(fc.property(fc.array(fc.nat({ max: bytes.byteLength }), { maxLength: 40 }), (places) => {
    expect(joined(framesIn(...cutAt(places)))).toEqual(expected);
  }), { seed: 2, numRuns: 500 });
  expect(joined(framesIn(...cutAt(Array.from(bytes.keys()))))).toEqual(expected);
});

it('gives a slice as it arrives, before their frame is whole', () => {
  const [frame] = framesOf('version', { step: 4 }, anyFloats(3, 100));
  const [first, ...others] = framesIn(frame!.subarray(0, HEADER_BYTES + 41));
  expect(first?.header).toMatchObject({ kind: 'version', offset: 0, count: 41, length: 400 });
  expect(others).toEqual([]);
});

it('keeps little for a peer that it does not know', () => {
  const take = (frame: Buffer): TensorFrame[] => {
    const frames: TensorFrame[] = [];
    new FrameReader((arrived) => frames.push(arrived)).take(frame);
    return frames;
  };
  expect(take(encodeFrame(blankHeader, Buffer.alloc(4096 - HEADER_BYTES)))).toHaveLength(1);
  expect(() => take(encodeFrame(blankHeader, Buffer.alloc(4097 - HEADER_BYTES)))).toThrow('4097 bytes before the slice, expected at most 4096');
  expect(() => take(encodeFrame({ ...blankHeader, kind: 'partial', node: { level: 11, index: 0 } }, undefined, new Uint32Array(2048)))).toThrow('expected at most 4096');
});

it('takes random bytes, and changed frames, for what they are: an error of ours or frames that hold together', () => {
  const whole = sent[1]!;
  const changedFrames = fc.array(fc.tuple(fc.nat({ max: whole.byteLength - 1 }), fc.integer({ min: 0, max: 255 })), { maxLength: 6 }).map((changes) => {
    const frame = Buffer.from(whole);
    for (const [position, value] of changes) frame.writeUInt8(value, position);
    return frame;
  });
  const randomBytes = fc.uint8Array({ maxLength: 200 }).map((random) => Buffer.from(random));
  fc.assert(fc.property(fc.oneof(randomBytes, changedFrames), (input) => {
    try {
      for (const { header, payload, digests } of framesIn(input)) {
        expect(payload.byteLength + digests.byteLength + HEADER_BYTES).toBeLessThanOrEqual(MAX_FRAME_BYTES);
        if (header.kind === 'hello' || header.kind === 'finished' || header.kind === 'refusal') continue;
        expect(payload.byteLength).toBe(header.carrier === 'inline' ? header.count : 0);
        expect(header.offset + header.count).toBeLessThanOrEqual(header.length);
      }
    } catch (error) {
      if (!(error instanceof LockstepError)) throw error;
    }
  }), { seed: 7, numRuns: 5000 });
});
