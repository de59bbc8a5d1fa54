import { extname } from 'node:path';
import { LockstepError } from '@lockstep/core';

/** `text`: a file is a document. `lines`: each line is one. `jsonl`, `parquet`: a sample a line or row, with fields. */
export const INPUT_FORMATS = ['text', 'lines', 'jsonl', 'parquet'] as const;
export type InputFormat = (typeof INPUT_FORMATS)[number];

/** The files that are read, in this order. */
export interface TextSource {
  readonly inputs: readonly string[];
  /** `auto`: by each file's extension. */
  readonly format: InputFormat | 'auto';
  /** What a file of samples has the text in. */
  readonly field: string;
  /** How much of a file has been read, in bytes or rows. */
  readonly onProgress?: (done: number, total: number, file: string) => void;
  readonly signal?: AbortSignal;
}

const BY_EXTENSION: Readonly<Record<string, InputFormat>> = { '.jsonl': 'jsonl', '.ndjson': 'jsonl', '.parquet': 'parquet' };

export function formatOf(file: string, format: InputFormat | 'auto'): InputFormat {
  return format === 'auto' ? BY_EXTENSION[extname(file).toLowerCase()] ?? 'text' : format;
}

/** Refuses a file that has no fields, with a `usage` error. */
export function requireFields(file: string, format: InputFormat | 'auto'): 'jsonl' | 'parquet' {
  const found = formatOf(file, format);
  if (found === 'jsonl' || found === 'parquet') return found;
  throw new LockstepError('usage', `${file}: read as ${found}, expected samples with fields`, { hint: 'chats and labels are read of .jsonl and .parquet files; --format says what a file of another name is' });
}
