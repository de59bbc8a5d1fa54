import { LockstepError, messageOf } from '@lockstep/core';
import { readLines } from './lines.ts';
import { readParquetRows } from './parquet.ts';
import { requireFields, type TextSource } from './text-source.ts';

/** A sample with fields. */
export interface SampleRecord {
  readonly fields: Readonly<Record<string, unknown>>;
  /** File and line or row, for messages. */
  readonly origin: string;
}

/** The samples of JSONL and Parquet files; of Parquet only these fields are read, those that are there. Throws `data` or `not-found` naming the place. */
export async function* readRecords(source: TextSource, fields: readonly string[]): AsyncGenerator<SampleRecord> {
  for (const file of source.inputs) {
    if (requireFields(file, source.format) === 'jsonl') yield* readJsonLines(file, source);
    else yield* readParquetRows(file, fields, source);
  }
}

async function* readJsonLines(file: string, source: TextSource): AsyncGenerator<SampleRecord> {
  for await (const { text, number } of readLines(file, source)) {
    if (text.trim() !== '') yield { fields: parseObject(text, `${file}, line ${number}`), origin: `${file}, line ${number}` };
  }
}

function parseObject(text: string, origin: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new LockstepError('data', `${origin}: not JSON: ${messageOf(cause)}`, { cause });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new LockstepError('data', `${origin}: ${text.slice(0, 40)}, expected an object`);
}

/** A field's text. Throws `data` naming the place and the field where it is none. */
export function textField({ fields, origin }: SampleRecord, field: string): string {
  const value = fields[field];
  if (typeof value === 'string') return value;
  throw new LockstepError('data', `${origin}: field "${field}" is ${describe(value)}, expected a text`, { hint: `the sample has the fields ${Object.keys(fields).join(', ') || 'none'}; --field names the one with the text` });
}

/** A field that names a class: a text, a number or a truth value. */
export function labelField({ fields, origin }: SampleRecord, field: string): string {
  const value = fields[field];
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  throw new LockstepError('data', `${origin}: field "${field}" is ${describe(value)}, expected a label`, { hint: `the sample has the fields ${Object.keys(fields).join(', ') || 'none'}; --labels names the one with the label` });
}

function describe(value: unknown): string {
  if (value === undefined) return 'missing';
  return value === null ? 'null' : Array.isArray(value) ? 'a list' : `of type ${typeof value}`;
}
