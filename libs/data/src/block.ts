import { LockstepError, messageOf } from '@lockstep/core';
import { z } from 'zod';
import { FAULTS } from './cleaning-report.ts';
import { imageLengthOf, type Dataset } from './dataset.ts';
import type { DataSplits } from './load-splits.ts';

/**
 * A data block: 8 bytes `LSDATA01`, the header's length as little-endian uint32, the header as JSON, then at multiples of 64 bytes the images
 * and the labels of the training, validation and test split, one after another.
 */
const MAGIC = new TextEncoder().encode('LSDATA01');
const PREAMBLE_BYTES = MAGIC.length + 4;
const ALIGNMENT = 64;
const MAX_HEADER_BYTES = 16 * 1024 * 1024;
const PARTS = ['training', 'validation', 'test'] as const;

const count = z.int().min(0);
const side = z.int().min(1).max(4096);
const headerSchema = z.strictObject({
  imageShape: z.strictObject({ height: side, width: side, channels: z.union([z.literal(1), z.literal(3)]) }),
  numExamples: z.strictObject({ training: count, validation: count, test: count }),
  classNames: z.array(z.string()).min(1).max(256),
  statistics: z.strictObject({ mean: z.number(), deviation: z.number() }),
  report: z.strictObject({
    numRead: count,
    numKept: count,
    faults: z.array(z.strictObject({
      fault: z.enum(FAULTS), count, dropped: count,
      examples: z.array(z.strictObject({ file: z.string(), row: count.nullable(), detail: z.string() })),
    })),
  }),
});
type Header = z.output<typeof headerSchema>;

/** The splits as one block of bytes: equal splits give equal bytes. */
export function encodeSplits(splits: DataSplits): Uint8Array {
  const { training, validation, test, classNames, statistics, report } = splits;
  const numExamples = { training: training.numExamples, validation: validation.numExamples, test: test.numExamples };
  const header = new TextEncoder().encode(JSON.stringify({ imageShape: training.imageShape, numExamples, classNames, statistics, report }));
  const sections = PARTS.flatMap((part) => [splits[part].images, splits[part].labels]);
  const { offsets, end } = place(header.length, sections.map((section) => section.length));
  const block = new Uint8Array(end);
  block.set(MAGIC);
  new DataView(block.buffer).setUint32(MAGIC.length, header.length, true);
  block.set(header, PREAMBLE_BYTES);
  sections.forEach((section, index) => block.set(section, offsets[index]!));
  return block;
}

/** The splits as views of the block, which are read fastest where it begins at a multiple of 4 bytes. A block that is truncated, damaged or of another format is a `data` error. */
export function decodeSplits(block: Uint8Array): DataSplits {
  const { header, headerBytes } = readHeader(block);
  const { imageShape, classNames, statistics, report } = header;
  const imageLength = imageLengthOf(imageShape);
  const lengths = PARTS.flatMap((part) => [header.numExamples[part] * imageLength, header.numExamples[part]]);
  const { offsets, end } = place(headerBytes, lengths);
  if (block.length !== end) throw damaged(`${block.length} bytes, expected ${end} by its header`);
  const [training, validation, test] = PARTS.map((part, index): Dataset => {
    const section = (number: number): Uint8Array => block.subarray(offsets[number]!, offsets[number]! + lengths[number]!);
    const dataset = { images: section(2 * index), labels: section(2 * index + 1), imageShape, numExamples: header.numExamples[part] };
    requireLabels(dataset, classNames.length, part);
    return dataset;
  }) as [Dataset, Dataset, Dataset];
  return { training, validation, test, classNames, statistics, report };
}

function readHeader(block: Uint8Array): { header: Header; headerBytes: number } {
  if (block.length < PREAMBLE_BYTES) throw damaged(`${block.length} bytes, expected at least ${PREAMBLE_BYTES}`);
  if (MAGIC.some((byte, index) => block[index] !== byte)) throw damaged('it does not begin with LSDATA01');
  const headerBytes = new DataView(block.buffer, block.byteOffset, block.length).getUint32(MAGIC.length, true);
  const available = Math.min(block.length - PREAMBLE_BYTES, MAX_HEADER_BYTES);
  if (headerBytes > available) throw damaged(`a header of ${headerBytes} bytes, expected at most ${available}`);
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(block.subarray(PREAMBLE_BYTES, PREAMBLE_BYTES + headerBytes));
    return { header: headerSchema.parse(JSON.parse(text)), headerBytes };
  } catch (error) {
    throw damaged(`its header cannot be read: ${messageOf(error)}`, error);
  }
}

function requireLabels(dataset: Dataset, numClasses: number, part: string): void {
  const wrong = dataset.labels.findIndex((label) => label >= numClasses);
  if (wrong >= 0) throw damaged(`label ${dataset.labels[wrong]} of ${part} sample ${wrong}, expected 0 to ${numClasses - 1}`);
}

function place(headerBytes: number, lengths: readonly number[]): { offsets: number[]; end: number } {
  let end = PREAMBLE_BYTES + headerBytes;
  const offsets = lengths.map((length) => {
    const offset = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
    end = offset + length;
    return offset;
  });
  return { offsets, end };
}

function damaged(reason: string, cause?: unknown): LockstepError {
  return new LockstepError('data', `damaged data block: ${reason}`, { cause });
}
