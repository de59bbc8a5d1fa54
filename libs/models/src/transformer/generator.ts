import { LockstepError } from '@lockstep/core';
import { KeyValueCache } from './key-value-cache.ts';
import { checkTokens } from './token-batch-check.ts';
import type { Transformer } from './transformer.ts';

/** One text under way: the tokens so far, as keys and values. On the model's parameters as they are: begin anew after a load. */
export interface Generator {
  readonly numTokens: number;
  /**
   * Reads tokens, one or many, and gives the logits `[vocabularySize]` of the one that follows.
   * @throws LockstepError `data` when the tokens are none or not in the vocabulary, or the context is full.
   */
  read(tokens: Int32Array): Float32Array;
  dispose(): void;
}

/** Begins a text. The caller disposes the generator before the model. */
export function createGenerator(model: Transformer): Generator {
  const { contextLength, vocabularySize } = model.architecture;
  const cache = new KeyValueCache(model.engine.tf);
  let numTokens = 0;
  return {
    get numTokens() {
      return numTokens;
    },
    read(tokens) {
      if (tokens.length === 0) throw new LockstepError('data', 'a text has no tokens, expected at least one to continue from');
      if (numTokens + tokens.length > contextLength) throw new LockstepError('data', `a text has ${numTokens + tokens.length} tokens where the model's context length is ${contextLength}`);
      checkTokens('token', tokens, 0, vocabularySize);
      const logits = model.continue(tokens, numTokens, cache);
      numTokens += tokens.length;
      return logits;
    },
    dispose: () => cache.dispose(),
  };
}
