import { LockstepError } from '@lockstep/core';
import { z } from 'zod';
import { elementsOf, renderShape } from './file-tensor.ts';
import { fileSize, readInto } from './positioned-read.ts';

/** Where a safetensors file holds a tensor. */
export interface SafetensorsEntry {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly number[];
  /** From the file's first byte. */
  readonly offset: number;
  readonly numBytes: number;
}

/** The format's own limit. */
const MAX_HEADER_BYTES = 100_000_000;
const LENGTH_BYTES = 8;

const ELEMENT_BYTES: Readonly<Record<string, number>> = {
  F64: 8, F32: 4, F16: 2, BF16: 2, F8_E4M3: 1, F8_E5M2: 1, I64: 8, I32: 4, I16: 2, I8: 1, U64: 8, U32: 4, U16: 2, U8: 1, BOOL: 1,
};

const count = z.int().min(0);
const entrySchema = z.object({ dtype: z.string(), shape: z.array(count).max(8), data_offsets: z.tuple([count, count]) });
const headerSchema = z.record(z.string(), z.unknown());

/**
 * The tensors of a safetensors file (https://github.com/huggingface/safetensors), with all that the header says checked against the file's size.
 * @throws LockstepError `data` naming the file, the tensor and what is wrong with it; `not-found`.
 */
export function readSafetensorsHeader(path: string): readonly SafetensorsEntry[] {
  const totalBytes = fileSize(path);
  if (totalBytes < LENGTH_BYTES) damaged(path, `${totalBytes} bytes hold no header`);
  const length = Number(new DataView(readBytes(path, 0, LENGTH_BYTES)).getBigUint64(0, true));
  const dataOffset = LENGTH_BYTES + length;
  if (length > MAX_HEADER_BYTES || dataOffset > totalBytes) damaged(path, `the header's length is ${length} bytes in a file of ${totalBytes}`);
  const { __metadata__: _, ...entries } = parseHeader(path, readBytes(path, LENGTH_BYTES, length));
  return checkCoverage(path, Object.entries(entries).map(([name, entry]) => readEntry(path, name, entry, dataOffset)), dataOffset, totalBytes);
}

function readBytes(path: string, offset: number, length: number): ArrayBuffer {
  const bytes = new Uint8Array(length);
  readInto(path, offset, bytes);
  return bytes.buffer;
}

function parseHeader(path: string, bytes: ArrayBuffer): Record<string, unknown> {
  try {
    return headerSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
  } catch (cause) {
    return damaged(path, 'the header is not a JSON object', cause);
  }
}

function readEntry(path: string, name: string, value: unknown, dataOffset: number): SafetensorsEntry {
  const parsed = entrySchema.safeParse(value);
  if (!parsed.success) damaged(path, `tensor ${name}: ${z.prettifyError(parsed.error)}`, parsed.error);
  const { dtype, shape, data_offsets: [begin, end] } = parsed.data;
  const elementBytes = ELEMENT_BYTES[dtype];
  if (elementBytes === undefined) damaged(path, `tensor ${name} has dtype ${dtype}, expected ${Object.keys(ELEMENT_BYTES).join(', ')}`);
  const numBytes = elementsOf(shape) * elementBytes;
  if (end - begin !== numBytes) damaged(path, `tensor ${name} of shape ${renderShape(shape)} needs ${numBytes} bytes, its data_offsets hold ${end - begin}`);
  return { name, type: dtype, shape, offset: dataOffset + begin, numBytes };
}

/** The format allows neither holes nor overlaps. */
function checkCoverage(path: string, entries: readonly SafetensorsEntry[], dataOffset: number, totalBytes: number): readonly SafetensorsEntry[] {
  let covered = dataOffset;
  for (const { name, offset, numBytes } of entries.toSorted((a, b) => a.offset - b.offset || a.numBytes - b.numBytes)) {
    if (offset !== covered) damaged(path, `tensor ${name} begins at byte ${offset}, expected ${covered}`);
    covered += numBytes;
  }
  if (covered !== totalBytes) damaged(path, `the tensors end at byte ${covered} of ${totalBytes}`);
  return entries;
}

function damaged(path: string, reason: string, cause?: unknown): never {
  throw new LockstepError('data', `${path} is not a valid safetensors file: ${reason}`, { cause });
}
