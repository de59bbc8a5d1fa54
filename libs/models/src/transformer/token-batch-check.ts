import { LockstepError, type TransformerArchitecture } from '@lockstep/core';
import type { TokenBatch } from '@lockstep/engine';

/** @throws LockstepError `data` when a batch's sizes, tokens or targets do not fit the model. */
export function checkTokenBatch({ numRows, rowLength, tokens, targets, documents }: TokenBatch, { contextLength, vocabularySize }: TransformerArchitecture): void {
  if (rowLength > contextLength) throw new LockstepError('data', `a batch has rows of ${rowLength} tokens where the model's context length is ${contextLength}`);
  for (const [name, values] of Object.entries({ tokens, targets, documents: documents ?? tokens })) {
    if (values.length !== numRows * rowLength) throw new LockstepError('data', `a batch of ${numRows} rows of ${rowLength} tokens has ${values.length} ${name}, expected ${numRows * rowLength}`);
  }
  checkTokens('token', tokens, 0, vocabularySize);
  checkTokens('target', targets, -1, vocabularySize);
}

/** @throws LockstepError `data` naming the first place that holds no number from `least` to below `vocabularySize`. */
export function checkTokens(what: string, values: Int32Array, least: number, vocabularySize: number): void {
  const place = values.findIndex((value) => value < least || value >= vocabularySize);
  if (place >= 0) throw new LockstepError('data', `${what} ${values[place]} at place ${place} is not in the vocabulary, expected ${least} to ${vocabularySize - 1}`);
}
