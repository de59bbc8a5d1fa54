import { numericsSchema } from '@lockstep/core';
import { openLocalEngine, type Engine } from '@lockstep/engine';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildTiny, gpt2, llama, lora } from '../../reference/tiny-transformers.ts';
import { createGenerator, type Generator } from './generator.ts';
import { sampleToken } from './sampler.ts';
import type { Transformer } from './transformer.ts';

const PROMPT = [3, 14, 1, 5];
const GREEDY = { temperature: 0, topK: null, topP: 1 };

let engine: Engine;
beforeAll(async () => {
  engine = await openLocalEngine(numericsSchema.parse({}));
});

const greedy = (logits: Float32Array): number => sampleToken(logits, GREEDY, () => 0);

function withGenerator<Result>(model: Transformer, use: (generator: Generator) => Result): Result {
  const generator = createGenerator(model);
  try {
    return use(generator);
  } finally {
    generator.dispose();
  }
}

describe.each([['GPT-2', gpt2], ['Llama', llama]] as const)('a generator of a model in the style of %s', (_, architecture) => {
  it('writes with its cache what it writes when it reads everything each time', () => {
    const model = buildTiny(engine, architecture, { lora, dropout: 0.5 });
    const { numTensors } = engine.tf.memory();
    const [cached, whole] = [[...PROMPT], [...PROMPT]];
    withGenerator(model, (generator) => {
      for (let unread = PROMPT; cached.length < 12; unread = cached.slice(-1)) cached.push(greedy(generator.read(Int32Array.from(unread))));
      expect(generator.numTokens).toBe(11);
    });
    while (whole.length < 12) whole.push(withGenerator(model, (generator) => greedy(generator.read(Int32Array.from(whole)))));
    expect(cached).toEqual(whole);
    expect(engine.tf.memory().numTensors).toBe(numTensors);
  });

  it('refuses what it cannot read', () => {
    withGenerator(buildTiny(engine, architecture), (generator) => {
      expect(() => generator.read(new Int32Array())).toThrow(/no tokens/);
      expect(() => generator.read(new Int32Array(17))).toThrow(/17 tokens where the model's context length is 16/);
      expect(() => generator.read(Int32Array.of(31))).toThrow(/token 31 at place 0/);
    });
  });
});
