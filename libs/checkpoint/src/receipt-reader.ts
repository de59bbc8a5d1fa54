import { createReadStream } from 'node:fs';
import { LockstepError, parameterWireSchema, wireSchema } from '@lockstep/core';
import { z } from 'zod';
import { hashSchema } from './checkpoint-manifest.ts';
import type { ReceiptLine } from './receipts.ts';
import { storageError } from './storage-error.ts';

const receiptSchema = z.discriminatedUnion('kind', [
  z.looseObject({ kind: z.literal('run'), formatVersion: z.literal(1), configSha256: hashSchema, numerics: z.looseObject({}), seed: z.int(), wire: wireSchema, parameterWire: parameterWireSchema, parameters: z.int() }),
  z.looseObject({
    kind: z.literal('step'), step: z.int(), version: z.int(), loss: z.number(), accuracy: z.number().optional(), numExamples: z.int(),
    numCorrect: z.int(), lossSum: z.number(), numNonFinite: z.int().optional(), digests: z.string().regex(/^([0-9a-f]{8})*$/), parametersSha256: hashSchema.nullable(),
  }),
  z.looseObject({ kind: z.literal('end'), version: z.int(), parametersSha256: hashSchema }),
]);

/** The digests of the 65,536 micro-batches that a step has at most take half of it. */
const MAX_LINE_BYTES = 1024 * 1024;
const NEWLINE = 10;

export interface PlacedReceipt {
  readonly receipt: ReceiptLine;
  /** Counted from 1. */
  readonly line: number;
  /** Where the next line begins. */
  readonly endByte: number;
}

/**
 * The receipts of a file, one after another, in constant memory. A last line that a crash cut off comes as a `torn` record.
 * @throws LockstepError `not-found` if there is no such file, `storage` naming file and line of a record that is damaged.
 */
export async function* readReceipts(path: string): AsyncGenerator<ReceiptLine> {
  for await (const { receipt } of readPlacedReceipts(path)) yield receipt;
}

/** As `readReceipts`, with the place of each in the file. */
export async function* readPlacedReceipts(path: string): AsyncGenerator<PlacedReceipt> {
  let line = 0;
  let endByte = 0;
  for await (const { text, whole } of linesOf(path)) {
    line += 1;
    endByte += text.length + (whole ? 1 : 0);
    yield { receipt: whole ? parseLine(text.toString(), `${path}:${line}`) : { kind: 'torn', line, text: text.toString() }, line, endByte };
  }
}

/** Lines without their ends; only the last may not be whole. */
async function* linesOf(path: string): AsyncGenerator<{ text: Buffer; whole: boolean }> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunksOf(path)) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      yield { text: Buffer.concat([rest, chunk.subarray(from, end)]), whole: true };
      rest = Buffer.alloc(0);
      from = end + 1;
    }
    rest = Buffer.concat([rest, chunk.subarray(from)]);
    if (rest.length > MAX_LINE_BYTES) throw new LockstepError('storage', `${path} is damaged: a line is longer than ${MAX_LINE_BYTES} bytes`);
  }
  if (rest.length > 0) yield { text: rest, whole: false };
}

async function* chunksOf(path: string): AsyncGenerator<Buffer> {
  try {
    yield* createReadStream(path) as AsyncIterable<Buffer>;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw storageError(`cannot read the receipts ${path}`, cause);
    throw new LockstepError('not-found', `there are no receipts: ${path}`, { cause });
  }
}

function parseLine(line: string, place: string): ReceiptLine {
  try {
    return receiptSchema.parse(JSON.parse(line)) as unknown as ReceiptLine;
  } catch (cause) {
    throw new LockstepError('storage', `${place}: not a receipt: ${line.slice(0, 80)}`, { cause });
  }
}
