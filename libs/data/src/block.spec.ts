import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LockstepError } from '@lockstep/core';
import { decodeSplits, encodeSplits } from './block.ts';
import type { DataSplits } from './load-splits.ts';
import { computeStatistics } from './statistics.ts';
import { noiseDataset } from './testing/small-sources.ts';

const SPLITS: DataSplits = {
  training: noiseDataset(20, 5), validation: noiseDataset(0, 5), test: noiseDataset(7, 5),
  classNames: ['zéro', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
  statistics: computeStatistics(noiseDataset(20, 5)),
  report: { numRead: 30, numKept: 27, faults: [{ fault: 'unreadable', count: 3, dropped: 3, examples: [{ file: 'ä.png', row: null, detail: 'no image' }] }] },
};
const BLOCK = encodeSplits(SPLITS);

function withHeader(change: (header: Record<string, unknown>) => void): Uint8Array {
  const headerBytes = new DataView(BLOCK.buffer).getUint32(8, true);
  const header = JSON.parse(new TextDecoder().decode(BLOCK.subarray(12, 12 + headerBytes))) as Record<string, unknown>;
  change(header);
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  return Buffer.concat([BLOCK.subarray(0, 8), length, text, BLOCK.subarray(12 + headerBytes)]);
}

describe('a data block', () => {
  it('gives back what was put in, and the same bytes for the same splits', () => {
    expect(decodeSplits(BLOCK)).toEqual(SPLITS);
    expect(encodeSplits(decodeSplits(BLOCK))).toEqual(BLOCK);
  });

  it('is read without copying, from any place in a buffer', () => {
    const larger = new Uint8Array(BLOCK.length + 3);
    larger.set(BLOCK, 3);
    const { training } = decodeSplits(larger.subarray(3));
    expect(training.images.buffer).toBe(larger.buffer);
    expect(training.images).toEqual(SPLITS.training.images);
  });

  it('is refused when cut short anywhere', () => {
    for (let length = 0; length < BLOCK.length; length += 1) expect(() => decodeSplits(BLOCK.subarray(0, length))).toThrow(LockstepError);
  });

  it('never fails in another way, whatever byte is damaged', () => {
    fc.assert(fc.property(fc.nat(BLOCK.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const damaged = BLOCK.with(at, BLOCK[at]! ^ change);
      try {
        decodeSplits(damaged);
      } catch (error) {
        expect(error).toBeInstanceOf(LockstepError);
      }
    }), { seed: 4, numRuns: 2000 });
  });

  it.each([
    ['more samples than bytes', (header: Record<string, unknown>) => { header['numExamples'] = { training: 4_000_000_000, validation: 0, test: 7 }; }, /1231 bytes, expected 104000000647 by its header/],
    ['a negative count', (header: Record<string, unknown>) => { header['numExamples'] = { training: -1, validation: 0, test: 7 }; }, /header cannot be read/],
    ['fewer classes than labels', (header: Record<string, unknown>) => { header['classNames'] = ['only one'] ; }, /damaged data block/],
    ['an unknown field', (header: Record<string, unknown>) => { header['script'] = 'x'; }, /header cannot be read/],
  ])('is refused with %s', (_, change, message) => {
    expect(() => decodeSplits(withHeader(change))).toThrow(message);
    expect(() => decodeSplits(withHeader(change))).toThrow(LockstepError);
  });

  it('is refused with bytes after its end', () => {
    expect(() => decodeSplits(Buffer.concat([BLOCK, Buffer.of(0)]))).toThrow(/damaged data block/);
  });
});
