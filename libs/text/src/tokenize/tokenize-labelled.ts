import { LockstepError } from '@lockstep/core';
import { labelField, readRecords, textField } from '../samples/records.ts';
import { TokenFileWriter } from '../token-file/token-file-writer.ts';
import type { RowsJob } from './tokenize-rows.ts';
import { emptyTally, finishJob, tokenizerFields, type TokenizeSummary } from './tokenize-job.ts';

/** As many as a label of 16 bits tells apart. */
const MAX_CLASSES = 65_536;

export interface LabelledJob extends RowsJob {
  /** The field that names a sample's class. */
  readonly labelField: string;
}

/**
 * Writes a row a text, with what the tokenizer puts around a text of its own accord, padding, and a label. The input is read twice, for the class
 * names are its sorted distinct labels. Throws `data`, `not-found` or `storage`.
 */
export async function tokenizeLabelled(job: LabelledJob): Promise<TokenizeSummary> {
  const { tokenizer, rowLength } = job;
  const { padding } = tokenizer;
  const classNames = await readClassNames(job);
  const labelOf = new Map(classNames.map((name, label) => [name, label]));
  using writer = new TokenFileWriter(job.out, { ...tokenizerFields(tokenizer), layout: 'labelled', rowLength, classNames, padding });
  const tally = emptyTally();
  for await (const record of readRecords(job, [job.field, job.labelField])) {
    job.signal?.throwIfAborted();
    const text = textField(record, job.field);
    const tokens = tokenizer.encode(text, { special: true });
    const kept = tokens.slice(0, rowLength);
    writer.appendTokens([...kept, ...Array<number>(rowLength - kept.length).fill(padding)]);
    writer.appendLabel(labelOf.get(labelField(record, job.labelField))!);
    tally.numDocuments += 1;
    tally.numTokens += kept.length;
    tally.textBytes += Buffer.byteLength(text);
    if (tokens.length > rowLength) tally.numCut += 1;
  }
  return await finishJob(job, writer, 0, tally);
}

/** Numbers by their value, other names by their code units. */
async function readClassNames(job: LabelledJob): Promise<string[]> {
  const names = new Set<string>();
  for await (const record of readRecords(job, [job.labelField])) {
    names.add(labelField(record, job.labelField));
    if (names.size > MAX_CLASSES) throw new LockstepError('data', `${record.origin}: field "${job.labelField}" has more than ${MAX_CLASSES} distinct labels`, { hint: '--labels names the field with the class' });
  }
  const sorted = [...names].sort();
  return sorted.every((name) => name !== '' && Number.isFinite(Number(name))) ? sorted.sort((a, b) => Number(a) - Number(b)) : sorted;
}
