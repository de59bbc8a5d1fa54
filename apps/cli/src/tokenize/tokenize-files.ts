import { assertNever } from '@lockstep/core';
import { resolveAsset } from '@lockstep/pretrained';
import { openTokenizer, tokenizeChats, tokenizeDocuments, tokenizeLabelled, tokenizeStream, trainTokenizer, type TextSource, type TokenizeSummary } from '@lockstep/text';
import { tokenizerPathOf } from '../language/model-tokenizer.ts';
import type { Progress } from '../data-inspect/progress.ts';
import { kindOf, readChatTemplate, type TokenizeFlags } from './tokenize-options.ts';

export interface TokenizeResult extends TokenizeSummary {
  /** `bytes`, or the path of what was opened or trained. */
  readonly tokenizerPath: string;
}

/** Trains a tokenizer first if that is asked for; then reads, encodes and writes. */
export async function tokenizeFiles(inputs: readonly string[], flags: TokenizeFlags, { report }: Progress, signal: AbortSignal): Promise<TokenizeResult> {
  const { out, format, field, trainBpe } = flags;
  const output = kindOf(flags);
  const template = flags.chatTemplate === undefined ? {} : { chatTemplate: readChatTemplate(flags.chatTemplate) };
  const source: TextSource = { inputs: await Promise.all(inputs.map((input) => resolveAsset(input))), format, field, onProgress: report, signal };
  const tokenizerPath = trainBpe === undefined ? await tokenizerPathOf(flags.tokenizer ?? 'bytes') : await trainTokenizer({ ...source, out, vocabularySize: trainBpe, chat: output.kind === 'chats' });
  const job = { ...source, out, tokenizer: openTokenizer(tokenizerPath, template) };
  return { ...await runJob(), tokenizerPath };

  function runJob(): Promise<TokenizeSummary> {
    switch (output.kind) {
      case 'stream': return tokenizeStream(job);
      case 'documents': return tokenizeDocuments({ ...job, ...output });
      case 'chats': return tokenizeChats({ ...job, ...output });
      case 'labelled': return tokenizeLabelled({ ...job, ...output });
      default: return assertNever(output);
    }
  }
}
