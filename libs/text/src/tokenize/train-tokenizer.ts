import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { LockstepError, messageOf } from '@lockstep/core';
import { MIN_VOCABULARY, trainBpe } from '../bpe/train-bpe.ts';
import { tokenizerDefinition } from '../bpe/tokenizer-definition.ts';
import { WordCounts } from '../bpe/word-counts.ts';
import { conversationOf, CONVERSATION_FIELDS } from '../chat/conversation.ts';
import { readDocuments, type DocumentPart } from '../samples/documents.ts';
import { readRecords } from '../samples/records.ts';
import { TextPieces } from '../samples/text-pieces.ts';
import type { TextSource } from '../samples/text-source.ts';

export interface TrainTokenizerJob extends TextSource {
  readonly vocabularySize: number;
  /** Whether the input is conversations, of which the messages' contents are learned from. */
  readonly chat: boolean;
  /** A `tokenizer.json` is written beside this file. */
  readonly out: string;
}

/**
 * Trains a byte-level encoding on the input and writes its `tokenizer.json`, whose path is returned. Throws `usage` where the vocabulary is too
 * small, or another `tokenizer.json` lies there already.
 */
export async function trainTokenizer(job: TrainTokenizerJob): Promise<string> {
  if (job.vocabularySize < MIN_VOCABULARY) throw new LockstepError('usage', `a vocabulary of ${job.vocabularySize} tokens, expected at least ${MIN_VOCABULARY}: 256 bytes and the special tokens`);
  const words = new WordCounts();
  const pieces = new TextPieces(() => []);
  for await (const { text, endsDocument } of job.chat ? readMessages(job) : readDocuments(job)) {
    for (const piece of [...pieces.push(text), ...(endsDocument ? pieces.end() : [])]) words.add(piece);
  }
  const path = join(dirname(job.out), 'tokenizer.json');
  writeNew(path, `${JSON.stringify(tokenizerDefinition(trainBpe(words.counts, job.vocabularySize)))}\n`);
  return path;
}

async function* readMessages(job: TrainTokenizerJob): AsyncGenerator<DocumentPart> {
  for await (const record of readRecords(job, CONVERSATION_FIELDS)) {
    for (const { content } of conversationOf(record)) yield { text: content, endsDocument: true };
  }
}

/** Models are bound to their tokenizer: one that is there is not replaced by another. */
function writeNew(path: string, content: string): void {
  if (existsSync(path)) {
    if (readFileSync(path, 'utf8') === content) return;
    throw new LockstepError('usage', `${path}: there is another tokenizer already`, { hint: 'write to another folder with --out, or use the one that is there with --tokenizer' });
  }
  const temporary = `${path}.partial-${process.pid}`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(temporary, content);
    renameSync(temporary, path);
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw new LockstepError('storage', `cannot write ${path}: ${messageOf(cause)}`, { cause });
  }
}
