import { runSchema } from '@lockstep/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { configFields } from './config-fields.ts';
import { renderIssues } from './render-issues.ts';

function mistakesOf(options: unknown): readonly string[] {
  const parsed = runSchema.safeParse(options, { reportInput: true });
  return parsed.success ? [] : renderIssues(parsed.error.issues, options).map(({ text }) => text);
}

const scheduled = (base: unknown) => ({ optimizer: { kind: 'adam', learningRate: { base } } });

describe('every kind of mistake is said in the same words', () => {
  it.each<[string, unknown, string]>([
    ['no object', null, 'the run: got null, expected an object with data, model, loss,'],
    ['a text for a number', { epochs: '5' }, 'epochs: got "5", expected a whole number, at least 1'],
    ['a fraction for a whole number', { epochs: 1.5 }, 'epochs: got 1.5, expected a whole number, at least 1'],
    ['NaN', { epochs: NaN }, 'epochs: got NaN, expected a whole number, at least 1'],
    ['beyond safe integers', { seed: 2 ** 60 }, 'seed: got 1152921504606847000, expected a whole number up to 9007199254740991'],
    ['too small', { shards: 0 }, 'shards: got 0, expected a whole number from 1 to 256'],
    ['too big', { data: { validation: 1 } }, 'data.validation: got 1, expected a number from 0 to 0.9'],
    ['at an open bound', { model: { kind: 'cnn', dropout: 1 } }, 'model.dropout: got 1, expected a number, at least 0 and below 1'],
    ['not above a bound', { clipping: { value: 0 } }, 'clipping.value: got 0, expected a number above 0 or null'],
    ['a custom check', { microBatches: 12 }, 'microBatches: got 12, expected a power of two'],
    ['a check across fields', { keepBest: true }, 'data.validation: got 0, expected above 0 where earlyStopping or keepBest is set'],
    ['an unknown name', { data: { scale: 'big' } }, 'data.scale: got "big", expected one of unit, standard, none'],
    ['an unknown number', { data: { channels: 2 } }, 'data.channels: got 2, expected 1 or 3'],
    ['an unknown kind', { model: { kind: 'cnnx' } }, 'model.kind: got "cnnx", expected one of mlp, cnn, cnn-small, lenet, rnn, resnet, vit'],
    ['no kind', { optimizer: {} }, 'optimizer.kind: got nothing, expected one of sgd, adam, adamw, rmsprop'],
    ['a union that is no object', { model: 3 }, 'model: got 3, expected an object with kind one of mlp, cnn,'],
    ['not a flag', { keepBest: 1 }, 'keepBest: got 1, expected true or false'],
    ['an empty text', { data: { source: { kind: 'idx', directory: '' } } }, 'data.source.directory: got "", expected a text that is not empty'],
    ['a missing field', { data: { source: { kind: 'idx' } } }, 'data.source.directory: got nothing, expected a text that is not empty'],
    ['too few in a list', { data: { resize: [32] } }, 'data.resize: got [32], expected a list of 2, each a whole number from 8 to 512 or null'],
    ['too many in a list', { data: { reshape: [1, 1, 1, 28, 28] } }, 'data.reshape: got [1,1,1,28,28], expected a list of 1 to 4, each a whole number, at least 1 or null'],
    ['one of a list', { model: { kind: 'mlp', hidden: [8, 0] } }, 'model.hidden[1]: got 0, expected a whole number, at least 1'],
    ['a number or a schedule: neither', { optimizer: { kind: 'adam', learningRate: 'fast' } }, 'optimizer.learningRate: got "fast", expected a number, at least 0 or an object with base, warmupSteps'],
    ['a number or a schedule: a wrong number', { optimizer: { kind: 'adam', learningRate: -1 } }, 'optimizer.learningRate: got -1, expected a number, at least 0'],
    ['a number or a schedule: a wrong schedule', scheduled({ kind: 'cosin', rate: 1 }), 'optimizer.learningRate.base.kind: got "cosin", expected one of constant, step, exponential, cosine'],
    ['a number or a schedule: a wrong field of it', scheduled({ kind: 'cosine', rate: -1 }), 'optimizer.learningRate.base.rate: got -1, expected a number, at least 0'],
    ['an unknown field', { epoch: 5 }, 'epoch: unknown field, did you mean epochs?'],
    ['an unknown field of a kind', { optimizer: { kind: 'sgd', beta1: 0.9 } }, 'optimizer.beta1: unknown field of sgd, expected one of learningRate, momentum, nesterov, l2'],
    ['an unknown field deep inside', scheduled({ kind: 'step', rate: 1, factor: 1, everyStep: 2 }), 'optimizer.learningRate.base.everySteps: got nothing, expected a whole number, at least 1'],
    ['a long value', { seed: 'x'.repeat(200) }, `seed: got "${'x'.repeat(59)}…, expected`],
    ['a function', { loss: () => 1 }, 'loss: got a function, expected an object with kind one of crossEntropy, meanSquaredError'],
  ])('%s', (_, options, expected) => {
    const mistakes = mistakesOf(options);
    expect(mistakes[0]).toContain(expected);
    expect(mistakes.filter((text) => text.includes('\n') || /undefined|\[object|Invalid/.test(text))).toEqual([]);
  });

  it('whatever stands in whatever field', () => {
    const anywhere = fc.constantFrom(...configFields().map(({ path }) => path));
    const anything = fc.oneof(fc.anything({ maxDepth: 1 }), fc.double(), fc.constantFrom('adam', 'cnn', 'crossEntropy'), fc.record({ kind: fc.string() }));
    fc.assert(fc.property(anywhere, anything, (path, value) => {
      const options = path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
      for (const text of mistakesOf(options)) expect(text).toMatch(/^[\w.[\]]+: (got .+, expected .+|unknown field.*)$/s);
    }), { numRuns: 2000, seed: 11 });
  });

  it('says each mistake, one a field', () => {
    expect(mistakesOf({ data: { resize: [3, 4, 5] }, epochs: 0, foo: 1, bar: 2 }).map((text) => text.split(':')[0])).toEqual([
      'data.resize', 'data.resize[0]', 'data.resize[1]', 'epochs', 'foo', 'bar',
    ]);
  });
});
