import { createReadStream } from 'node:fs';
import { LockstepError, messageOf } from '@lockstep/core';
import { z } from 'zod';
import type { ReceiptLine } from './receipts.ts';

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const receiptSchema = z.discriminatedUnion('kind', [
  z.looseObject({ kind: z.literal('run'), formatVersion: z.literal(1), configSha256: hash, numerics: z.looseObject({}), seed: z.int(), parameters: z.int() }),
  z.looseObject({
    kind: z.literal('step'), step: z.int(), version: z.int(), loss: z.number(), accuracy: z.number().optional(), numExamples: z.int(), parametersSha256: hash.nullable(),
  }),
  z.looseObject({ kind: z.literal('end'), version: z.int(), parametersSha256: hash }),
]);

/**
 * The receipts of a file, one after another, in constant memory. A last line that a crash cut off comes as a `torn` record.
 * @throws LockstepError `not-found` if there is no such file, `storage` naming file and line of a record that is damaged.
 */
export async function* readReceipts(path: string): AsyncGenerator<ReceiptLine> {
  let number = 0;
  let rest = '';
  for await (const chunk of textOf(path)) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield parseLine(line, path, ++number);
  }
  if (rest !== '') yield { kind: 'torn', line: number + 1, text: rest };
}

async function* textOf(path: string): AsyncGenerator<string> {
  try {
    yield* createReadStream(path, { encoding: 'utf8' });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'not-found' : 'storage';
    throw new LockstepError(code, `cannot read the receipts: ${messageOf(cause)}`, { cause });
  }
}

function parseLine(line: string, path: string, number: number): ReceiptLine {
  try {
    return receiptSchema.parse(JSON.parse(line)) as unknown as ReceiptLine;
  } catch (cause) {
    throw new LockstepError('storage', `${path}:${number}: not a receipt: ${line.slice(0, 80)}`, { cause });
  }
}
