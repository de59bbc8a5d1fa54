import { setImmediate as turn } from 'node:timers/promises';
import { uniformStream } from '@lockstep/core';
import { createGenerator, sampleToken, type SamplingOptions, type Transformer } from '@lockstep/models';
import type { Tokenizer } from '@lockstep/text';

export interface GenerationOptions extends SamplingOptions {
  readonly maxTokens: number;
  readonly seed: number;
  readonly signal: AbortSignal;
}

/** Why a text ended: by the token that ends a document or an answer, which is not among its tokens; at the most tokens; with the context; by the signal. */
export type Stop = 'end' | 'length' | 'context' | 'aborted';

/** Continues `prompt` token by token: a pure function of model, prompt and options. */
export async function* generateTokens(model: Transformer, tokenizer: Tokenizer, prompt: readonly number[], options: GenerationOptions): AsyncGenerator<number, Stop> {
  const uniform = uniformStream(options.seed);
  const generator = createGenerator(model);
  try {
    let logits = generator.read(Int32Array.from(prompt));
    for (let numTokens = 0; numTokens < options.maxTokens; numTokens += 1) {
      // The engine blocks this thread: signals come through in between.
      await turn();
      if (options.signal.aborted) return 'aborted';
      const token = sampleToken(logits, options, uniform);
      if (token === tokenizer.endOfText || tokenizer.isEndOfTurn(token)) return 'end';
      yield token;
      if (generator.numTokens === model.architecture.contextLength) return 'context';
      logits = generator.read(Int32Array.of(token));
    }
    return 'length';
  } finally {
    generator.dispose();
  }
}
