import { LockstepError } from '@lockstep/core';
import type { TextSource } from '../samples/text-source.ts';
import type { TokenFileDescription, TokenFileWriter, WrittenTokenFile } from '../token-file/token-file-writer.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';

/** Text to be made a token file. */
export interface TokenizeJob extends TextSource {
  /** The token file. */
  readonly out: string;
  readonly tokenizer: Tokenizer;
}

/** What has been made of it. */
export interface TokenizeSummary extends WrittenTokenFile {
  readonly numDocuments: number;
  /** Without padding. */
  readonly numTokens: number;
  /** Of UTF-8, of the text that was encoded. */
  readonly textBytes: number;
  /** Samples that were longer than a row, whose end is lost. */
  readonly numCut: number;
}

/** What a job counts as it goes. */
export type Tally = { -readonly [K in 'numDocuments' | 'numTokens' | 'textBytes' | 'numCut']: TokenizeSummary[K] };

export const emptyTally = (): Tally => ({ numDocuments: 0, numTokens: 0, textBytes: 0, numCut: 0 });

/** What every layout says of the tokenizer. */
export function tokenizerFields({ kind, sha256, vocabularySize, endOfText }: Tokenizer): Pick<TokenFileDescription, 'vocabularySize' | 'endOfText' | 'tokenizer'> {
  return { vocabularySize, endOfText, tokenizer: { kind, sha256 } };
}

/** Names the file, unless there was no text at all: a `data` error. */
export async function finishJob({ inputs }: TokenizeJob, writer: TokenFileWriter, counted: number, tally: Tally): Promise<TokenizeSummary> {
  if (tally.textBytes === 0) throw new LockstepError('data', `${inputs.join(', ')}: no text, so no token`);
  return { ...await writer.finish(counted), ...tally };
}
