import { createRequire } from 'node:module';
import { numericsSchema, uniformStream, type TransformerArchitecture } from '@lockstep/core';
import { openLocalEngine, type Engine, type TokenBatch } from '@lockstep/engine';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildTiny, gpt2, llama, lora } from '../../reference/tiny-transformers.ts';
import type { Transformer } from './transformer.ts';

const MIXED: TransformerArchitecture = { ...gpt2, positions: 'rotary', tiedEmbeddings: false };

let engine: Engine;
beforeAll(async () => {
  engine = await openLocalEngine(numericsSchema.parse({}));
});

function randomBatch(numRows: number, rowLength: number, seed = 1): TokenBatch {
  const uniform = uniformStream(seed);
  const draw = (least: number) => Int32Array.from({ length: numRows * rowLength }, () => least + Math.floor(uniform() * (31 - least)));
  return { numRows, rowLength, tokens: draw(0), targets: draw(-1), documents: null };
}

/** A row of one document. */
function row(tokens: readonly number[], targets: readonly number[]): TokenBatch {
  return { numRows: 1, rowLength: tokens.length, tokens: Int32Array.from(tokens), targets: Int32Array.from(targets), documents: null };
}

const norm = (values: Float32Array): number => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
const distance = (a: Float32Array, b: Float32Array): number => norm(a.map((value, index) => value - b[index]!)) / norm(b);
const bits = (values: Float32Array): string => Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');

describe.each([['GPT-2', gpt2], ['Llama', llama], ['neither alone', MIXED]] as const)("the gradient of a Transformer in the style of %s", (_, architecture) => {
  it('is the slope of the loss along every tensor, with dropout and adapters', () => {
    const model = buildTiny(engine, architecture, { dropout: 0.2, lora: { ...lora, dropout: 0.3 } });
    const parameters = model.readParameters();
    const batch = randomBatch(2, 6);
    const { flat } = model.gradient(batch, 9);
    const lossAt = (offset: number, length: number, step: number): number => {
      const moved = parameters.slice();
      const along = flat.subarray(offset, offset + length);
      const scale = step / norm(along);
      along.forEach((slope, index) => { moved[offset + index]! += scale * slope; });
      model.loadParameters(moved);
      return model.gradient(batch, 9).lossSum;
    };
    for (const { name, offset, length } of model.layout.parameters) {
      const expected = norm(flat.subarray(offset, offset + length));
      if (name.endsWith('k_proj.bias') && architecture.positions === 'learned') expect(expected).toBeLessThan(1e-4);
      else expect((lossAt(offset, length, 0.01) - lossAt(offset, length, -0.01)) / 0.02 / expected, name).toBeCloseTo(1, 1);
    }
  });

  it('has the same bits when the insides of blocks are computed again', () => {
    const gradients = [false, true].map((recompute) => buildTiny(engine, architecture, { dropout: 0.1, lora, recompute }).gradient(randomBatch(2, 8), 5));
    expect(bits(gradients[1]!.flat)).toBe(bits(gradients[0]!.flat));
    expect(gradients[1]!.lossSum).toBe(gradients[0]!.lossSum);
  });

  it('is that of the output layer in one piece when it is computed in chunks', () => {
    const [whole, chunked] = [1000, 3].map((chunkRows) => buildTiny(engine, architecture, { chunkRows }).gradient(randomBatch(2, 8), 5));
    expect(distance(chunked!.flat, whole!.flat)).toBeLessThan(1e-6);
    expect(chunked!.lossSum).toBeCloseTo(whole!.lossSum, 4);
    expect(chunked!.numCorrect).toBe(whole!.numCorrect);
  });

  it('of a row of two documents and padding is the sum of the gradients of two rows', () => {
    const model = buildTiny(engine, architecture);
    const [first, second] = [row([3, 1, 4, 1], [1, 4, 1, 5]), row([9, 2, 6], [2, 6, -1])].map((batch) => model.gradient(batch, 0));
    const packed = model.gradient({ ...row([3, 1, 4, 1, 9, 2, 6, 0], [1, 4, 1, 5, 2, 6, -1, -1]), documents: Int32Array.of(0, 0, 0, 0, 1, 1, 1, -1) }, 0);
    expect(distance(packed.flat, first!.flat.map((value, index) => value + second!.flat[index]!))).toBeLessThan(1e-6);
    expect(packed.lossSum).toBeCloseTo(first!.lossSum + second!.lossSum, 4);
    expect(packed.numExamples).toBe(6);
  });

  it('is the one that TensorFlow.js computes in JavaScript', async () => {
    const tf = createRequire(import.meta.url)('@tensorflow/tfjs') as Engine['tf'];
    const native = buildTiny(engine, architecture, { lora }).gradient(randomBatch(2, 5), 0);
    const backend = tf.getBackend();
    await tf.setBackend('cpu');
    try {
      const javaScript: Engine = { tf, numerics: { ...engine.numerics, device: 'javascript' }, oneDnnKernels: false };
      const computed = buildTiny(javaScript, architecture, { lora }).gradient(randomBatch(2, 5), 0);
      expect(distance(computed.flat, native.flat)).toBeLessThan(1e-5);
      expect(computed.numCorrect).toBe(native.numCorrect);
    } finally {
      await tf.setBackend(backend);
    }
  });
});

describe('a Transformer', () => {
  it('draws dropout as a pure function of the seed', () => {
    const model = buildTiny(engine, llama, { dropout: 0.3, lora: { ...lora, dropout: 0.3 } });
    const [first, again, other] = [5, 5, 6].map((seed) => bits(model.gradient(randomBatch(2, 6), seed).flat));
    expect(again).toBe(first);
    expect(other).not.toBe(first);
  });

  it('evaluates without dropout what its gradient sums', () => {
    const [dropping, plain] = [0.5, 0].map((dropout) => buildTiny(engine, gpt2, { dropout, chunkRows: 5 }));
    const { flat: _, ...scores } = plain!.gradient(randomBatch(3, 6), 0);
    expect(dropping!.evaluate(randomBatch(3, 6))).toEqual(scores);
  });

  it('trains only its adapters where nothing else is to train, and freezes the rest', () => {
    const model = buildTiny(engine, llama, { lora, trains: () => false });
    expect(model.layout.parameters.map(({ name }) => name).every((name) => name.includes('.lora_'))).toBe(true);
    const whole = buildTiny(engine, llama, { lora });
    const expected = whole.gradient(randomBatch(2, 6), 0).flat;
    const { flat } = model.gradient(randomBatch(2, 6), 0);
    for (const { name, offset, length } of model.layout.parameters) {
      const place = whole.layout.parameters.find((parameter) => parameter.name === name)!.offset;
      expect(bits(flat.slice(offset, offset + length)), name).toBe(bits(expected.slice(place, place + length)));
    }
  });

  it('computes the same when only its last block and its norm train', () => {
    const model = buildTiny(engine, gpt2, { trains: (name) => /layers\.1\.|model\.norm/.test(name) });
    const whole = buildTiny(engine, gpt2);
    const expected = whole.gradient(randomBatch(2, 6), 0).flat;
    const { flat } = model.gradient(randomBatch(2, 6), 0);
    const first = whole.layout.parameters.find(({ name }) => name.startsWith('model.layers.1.'))!.offset;
    expect(bits(flat)).toBe(bits(expected.slice(first)));
  });

  it('fills the vector that it is given, also where no token counts', () => {
    const model = buildTiny(engine, llama);
    const into = new Float32Array(new SharedArrayBuffer(model.layout.totalLength * 4)).fill(7);
    expect(model.gradient(randomBatch(1, 4), 0, into).flat).toBe(into);
    expect(bits(into)).toBe(bits(model.gradient(randomBatch(1, 4), 0).flat));
    expect(model.gradient({ ...randomBatch(1, 4), targets: new Int32Array(4).fill(-1) }, 0, into)).toMatchObject({ lossSum: 0, numExamples: 0 });
    expect(into.every((value) => value === 0)).toBe(true);
  });

  it('leaves no tensors behind', () => {
    const model = buildTiny(engine, gpt2, { dropout: 0.1, lora, chunkRows: 4 });
    const { numTensors } = engine.tf.memory();
    model.gradient(randomBatch(2, 6), 0);
    model.evaluate(randomBatch(2, 6));
    model.loadParameters(model.readParameters());
    model.mergedTensors().forEach((tensor) => tensor.values());
    expect(engine.tf.memory().numTensors).toBe(numTensors);
    model.dispose();
    expect(engine.tf.memory().numTensors).toBe(numTensors - model.specs.length);
  });

  it('exports weights with their adapters added: a model of them computes the same', () => {
    const adapted = buildTiny(engine, llama, { lora });
    const exported = adapted.mergedTensors();
    const merged = buildTiny(engine, llama, { initial: { kind: 'tensors', seed: 0, tensors: { tensors: exported, read: (name) => exported.find((tensor) => tensor.name === name)!.values() } } });
    expect(merged.evaluate(randomBatch(2, 6)).lossSum).toBeCloseTo(adapted.evaluate(randomBatch(2, 6)).lossSum, 4);
    expect(adapted.adapterTensors().map(({ name }) => name)).toContain('model.layers.1.mlp.down_proj.lora_B.weight');
  });

  it('reads and loads what trains and what is frozen', () => {
    const options = { trains: (name: string) => name.includes('mlp') };
    const model = buildTiny(engine, llama, options);
    const other = buildTiny(engine, llama, { ...options, initial: { kind: 'seed', seed: 3 } });
    other.loadParameters(model.readParameters());
    other.loadFrozen(Float32Array.from([...model.readFrozen()].flatMap((values) => [...values])));
    expect(other.evaluate(randomBatch(1, 5))).toEqual(model.evaluate(randomBatch(1, 5)));
  });

  it.each<[string, Partial<TokenBatch>, RegExp]>([
    ['a token', { tokens: Int32Array.of(1, 31) }, /token 31 at place 1 .* 0 to 30/],
    ['a target', { targets: Int32Array.of(-2, 1) }, /target -2 at place 0/],
    ['a size', { documents: new Int32Array(3) }, /has 3 documents, expected 2/],
    ['a row length', { rowLength: 17 }, /rows of 17 tokens .* context length is 16/],
  ])('refuses a batch with %s that does not fit', (_, wrong, message) => {
    const model: Transformer = buildTiny(engine, gpt2);
    expect(() => model.gradient({ ...randomBatch(1, 2), ...wrong }, 0)).toThrow(message);
  });

  it('refuses tensors and sizes that do not fit', () => {
    expect(() => buildTiny(engine, { ...llama, keyValueHeads: 3 })).toThrow(/keyValueHeads: 3, expected a divisor of the 4 heads/);
    expect(() => buildTiny(engine, llama, { lora: { ...lora, targets: ['query'] } })).toThrow(/'query' is no linear layer .* q_proj/);
    const tensors = { tensors: [{ name: 'model.embed_tokens.weight', shape: [31, 25] }], read: () => new Float32Array() };
    expect(() => buildTiny(engine, llama, { initial: { kind: 'tensors', tensors, seed: 0 } })).toThrow(/shape \[31, 25\], expected \[31, 24\]/);
  });
});
