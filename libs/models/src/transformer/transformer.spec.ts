import { numericsSchema } from '@lockstep/core';
import { openLocalEngine, type Engine, type TokenBatch } from '@lockstep/engine';
import { beforeAll, describe, expect, it } from 'vitest';
import reference from '../../reference/language_models.json' with { type: 'json' };
import { pattern } from '../../reference/pattern.ts';
import { buildTiny, gpt2, llama, lora } from '../../reference/tiny-transformers.ts';
import { createGenerator } from './generator.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await openLocalEngine(numericsSchema.parse({}));
});

const referenceBatch: TokenBatch = { numRows: 2, rowLength: 7, tokens: Int32Array.from(reference.tokens.flat()), targets: Int32Array.from(reference.targets.flat()), documents: null };

const largest = (a: ArrayLike<number>, b: ArrayLike<number>): number => Array.from(a).reduce((most, value, index) => Math.max(most, Math.abs(value - b[index]!)), 0);
const size = (values: ArrayLike<number>): number => Math.sqrt(Array.from(values).reduce((sum, value) => sum + value * value, 0));

describe.each([
  ['GPT-2', gpt2, reference.gpt2, null],
  ['Llama', llama, reference.llama, null],
  ["Llama with PEFT's adapters", llama, reference.llamaLora, lora],
] as const)('a Transformer in the style of %s', (_, architecture, expected, adapters) => {
  it('gives the gradient that PyTorch gives', () => {
    const model = buildTiny(engine, architecture, { lora: adapters });
    const { flat, lossSum, numExamples } = model.gradient(referenceBatch, 0);
    expect(lossSum).toBeCloseTo(expected.lossSum, 4);
    expect(numExamples).toBe(12);
    expect(model.specs.map(({ name }) => name).sort()).toEqual(Object.keys(expected.gradientProducts).sort());
    for (const { name, offset, length } of model.layout.parameters) {
      const gradient = flat.subarray(offset, offset + length);
      const product = pattern(name, length, 1).reduce((sum, value, index) => sum + value * gradient[index]!, 0);
      const wanted = (expected.gradientProducts as Record<string, number>)[name]!;
      expect(Math.abs(product - wanted), name).toBeLessThan(1e-5 * Math.max(1, Math.abs(wanted), size(gradient)));
    }
  });

  it('gives the logits that PyTorch gives, token by token', () => {
    const model = buildTiny(engine, architecture, { lora: adapters });
    const logits = reference.tokens.flatMap((row) => {
      const generator = createGenerator(model);
      return row.flatMap((token) => [...generator.read(Int32Array.of(token))]);
    });
    expect(largest(logits, expected.logits)).toBeLessThan(1e-5 * Math.max(...expected.logits));
  });
});
