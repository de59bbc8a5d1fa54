import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { importModelFunction, LockstepError, sha256 } from '@lockstep/core';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addConfigFlags, readConfigFlags } from './config-flags.ts';
import { loadRun, type LoadedRun } from './load-run.ts';

let directory: string;
beforeAll(async () => { directory = await mkdtemp(join(tmpdir(), 'lockstep-config-')); });
afterAll(() => rm(directory, { recursive: true, force: true }));

async function configFile(name: string, body: string): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, body);
  return path;
}

const runFile = (name: string, fields: string) => configFile(name, `
  import { adam, adamw, cosine, csv, defineRun, exponential, idx, images, mnist, momentum, nesterov, rmsprop, sgd, step, warmup, warmupCosine } from 'lockstep';
  export default defineRun({ ${fields} });
`);

function withFlags(flags: readonly string[], options: { configFile?: string; dataFlag?: string } = {}): Promise<LoadedRun> {
  const command = addConfigFlags(new Command('train')).exitOverride().configureOutput({ writeErr: () => {} });
  command.parse(flags, { from: 'user' });
  return loadRun({ ...options, overrides: readConfigFlags(command) });
}

const messageOf = async (run: Promise<LoadedRun>): Promise<string> => {
  const thrown: unknown = await run.then(() => null, (error: unknown) => error);
  expect(thrown).toBeInstanceOf(LockstepError);
  expect((thrown as LockstepError).exitCode).toBe(2);
  return (thrown as LockstepError).message;
};

describe('a config file', () => {
  it('is completed with the defaults', async () => {
    const file = await runFile('lockstep.config.ts', `
      data: mnist({ validation: 0.1 }), model: 'lenet', loss: 'sparseCategoricalCrossentropy',
      optimizer: adam({ learningRate: warmupCosine({ peak: 1e-3, warmupSteps: 100 }) }), globalBatchSize: 128, microBatches: 4, epochs: 2, seed: 7,
    `);
    const { config, customModel } = await loadRun({ configFile: file, overrides: [] });
    expect(customModel).toBeNull();
    expect(config).toMatchObject({
      data: { source: { kind: 'mnist' }, validation: 0.1, scale: 'unit' },
      model: { kind: 'lenet' },
      loss: { kind: 'crossEntropy', labels: 'sparse', fromLogits: true },
      optimizer: { kind: 'adam', beta1: 0.9, learningRate: { base: { kind: 'cosine', rate: 1e-3, finalRate: 0, steps: null }, warmupSteps: 100 } },
      globalBatchSize: 128, microBatches: 4, epochs: 2, seed: 7, shards: null, clipping: { value: null, globalNorm: null },
    });
  });

  it.each([
    ["data: idx('digits', { scale: 'standard' })", { data: { source: { kind: 'idx' }, scale: 'standard' } }],
    ["data: csv('a.csv', 'b.csv')", { data: { source: { kind: 'csv' } } }],
    ["data: images('/pictures')", { data: { source: { kind: 'images', directory: '/pictures' } } }],
    ["model: { kind: 'mlp', hidden: [8] }", { model: { kind: 'mlp', hidden: [8], activation: 'relu' } }],
    ["loss: 'categoricalCrossentropy'", { loss: { kind: 'crossEntropy', labels: 'oneHot' } }],
    ["loss: 'meanSquaredError'", { loss: { kind: 'meanSquaredError' } }],
    ['optimizer: sgd({ learningRate: 0.5 })', { optimizer: { kind: 'sgd', momentum: 0, learningRate: { base: { kind: 'constant', rate: 0.5 } } } }],
    ['optimizer: momentum()', { optimizer: { kind: 'sgd', momentum: 0.9, nesterov: false } }],
    ['optimizer: nesterov({ momentum: 0.8 })', { optimizer: { kind: 'sgd', momentum: 0.8, nesterov: true } }],
    ['optimizer: adamw({ weightDecay: 0.1 })', { optimizer: { kind: 'adamw', weightDecay: 0.1 } }],
    ['optimizer: rmsprop({ learningRate: step({ rate: 1, factor: 0.5, everySteps: 3 }) })', { optimizer: { learningRate: { base: { kind: 'step', rate: 1, factor: 0.5, everySteps: 3 } } } }],
    ['optimizer: sgd({ learningRate: warmup(exponential({ rate: 1, factor: 0.9, everySteps: 3 }), 5) })', { optimizer: { learningRate: { base: { kind: 'exponential' }, warmupSteps: 5 } } }],
    ['optimizer: sgd({ learningRate: warmup(0.3, 5) })', { optimizer: { learningRate: { base: { kind: 'constant', rate: 0.3 }, warmupSteps: 5 } } }],
    ['optimizer: sgd({ learningRate: cosine({ rate: 1, steps: 9 }) })', { optimizer: { learningRate: { base: { kind: 'cosine', steps: 9, finalRate: 0 } } } }],
  ])('says %s', async (field, expected) => {
    const { config } = await loadRun({ configFile: await runFile(`${sha256(field).slice(0, 8)}.ts`, field), overrides: [] });
    expect(config).toMatchObject(expected);
  });

  it('names weights and the run to begin from relative to itself too', async () => {
    const file = await runFile('transfer.ts', "data: mnist({ channels: 3 }), model: { kind: 'mobilenetV2', weights: 'weights/model.json' }, initFrom: 'runs/head'");
    const { config } = await withFlags([], { configFile: file });
    expect(config).toMatchObject({ model: { weights: join(directory, 'weights', 'model.json'), expects: 'signed', alpha: 1, trainable: 'head', cutAt: null }, initFrom: join(directory, 'runs', 'head') });
    const flagged = await withFlags(['--model.weights', 'none', '--init-from', 'runs/other', '--model.trainable', 'block_16_*,Conv_1'], { configFile: file });
    expect(flagged.config).toMatchObject({ model: { weights: null, trainable: ['block_16_*', 'Conv_1'] }, initFrom: join(process.cwd(), 'runs', 'other') });
    expect((await withFlags(['--model.trainable', 'all'], { configFile: file })).config.model).toMatchObject({ trainable: 'all' });
  });

  it('that gives a backbone other pixels than it can read is refused', async () => {
    const file = await runFile('pixels.ts', "data: mnist({ scale: 'standard' }), model: 'vgg16'");
    const message = await messageOf(withFlags([], { configFile: file }));
    expect(message).toContain('data.scale: got "standard", expected none or unit: a model of kind vgg16 brings the pixels to its own range');
    expect(message).toContain('data.channels: got 1, expected 3, the colours that a model of kind vgg16 reads');
  });

  it('has paths relative to itself, flags to where the command runs', async () => {
    const file = await runFile('paths.ts', "data: csv('a.csv', 'b.csv')");
    expect((await withFlags([], { configFile: file })).config.data.source).toEqual({ kind: 'csv', training: join(directory, 'a.csv'), test: join(directory, 'b.csv') });
    expect((await withFlags([], { configFile: file, dataFlag: 'idx:x' })).config.data.source).toEqual({ kind: 'idx', directory: join(process.cwd(), 'x') });
  });

  it('bundles what it imports', async () => {
    await configFile('size.ts', 'export const size: number = 64;');
    const file = await configFile('imports.ts', "import { defineRun } from 'lockstep'; import { size } from './size.ts'; export default defineRun({ globalBatchSize: size });");
    expect((await loadRun({ configFile: file, overrides: [] })).config.globalBatchSize).toBe(64);
  });

  it.each([
    ['no file', async () => join(directory, 'none.ts'), /^no config file at .*none\.ts$/],
    ['a syntax error', () => configFile('syntax.ts', 'export default {\n  epochs: ;\n};'), /^\S+syntax\.ts:2:11: Unexpected ";"$/],
    ['an import that is not found', () => configFile('import.ts', "import x from './gone.ts';\nexport default x;"), /^\S+import\.ts:1:15: Could not resolve "\.\/gone\.ts"$/],
    ['a builder that does not exist', () => configFile('builder.ts', "import { adamm } from 'lockstep';\nexport default { optimizer: adamm() };"), /^\S+builder\.ts: .*adamm/],
    ['no default export', () => configFile('default.ts', 'export const epochs = 1;'), /^\S+default\.ts: the default export is missing, expected a run$/],
    ['a throw', () => configFile('throw.ts', "throw new Error('no such thing');"), /^\S+throw\.ts: no such thing$/],
  ])('with %s is one line that names it', async (_, file, message) => {
    expect(await messageOf(loadRun({ configFile: await file(), overrides: [] }))).toMatch(message);
  });
});

describe('a custom model', () => {
  const model = 'model: ({ layers, sequential }) => sequential({ layers: [layers.flatten({ inputShape: [28, 28, 1] }), layers.dense({ units: 10 })] })';

  it('goes into a bundle, from which its function comes back', async () => {
    const { config, customModel } = await loadRun({ configFile: await runFile('custom.ts', model), overrides: [] });
    expect(config.model).toEqual({ kind: 'custom' });
    expect(customModel!.sha256).toBe(sha256(customModel!.source));
    const build = await importModelFunction(customModel!);
    const layers = { flatten: (options: object) => options, dense: (options: object) => options };
    expect(build({ layers, sequential: (options: object) => options } as never)).toEqual({ layers: [{ inputShape: [28, 28, 1] }, { units: 10 }] });
  });

  it('has the same hash wherever the file lies', async () => {
    const first = await loadRun({ configFile: await runFile('same.ts', model), overrides: [] });
    const elsewhere = await mkdtemp(join(directory, 'elsewhere-'));
    await writeFile(join(elsewhere, 'same.ts'), (await import('node:fs')).readFileSync(join(directory, 'same.ts')));
    const second = await loadRun({ configFile: join(elsewhere, 'same.ts'), overrides: [] });
    expect(second.customModel!.sha256).toBe(first.customModel!.sha256);
  });

  it('is refused where its source is not what its hash says', async () => {
    const { customModel } = await loadRun({ configFile: await runFile('tampered.ts', model), overrides: [] });
    await expect(importModelFunction({ ...customModel!, source: `${customModel!.source} ` })).rejects.toMatchObject({ code: 'protocol' });
  });

  it('gives way to --model', async () => {
    const { config, customModel } = await withFlags(['--model', 'mlp'], { configFile: await runFile('replaced.ts', model) });
    expect({ kind: config.model.kind, customModel }).toEqual({ kind: 'mlp', customModel: null });
  });

  it('needs a function', async () => {
    expect(await messageOf(withFlags(['--model', 'custom']))).toBe('model.kind: got "custom", expected a model of the zoo, or model: a function in the config file (from --model)');
  });
});

describe('flags', () => {
  it.each<[string[], object]>([
    [['--global-batch-size', '64', '--epochs', '1'], { globalBatchSize: 64, epochs: 1 }],
    [['--optimizer', 'adamw', '--optimizer.weight-decay', '0.1'], { optimizer: { kind: 'adamw', weightDecay: 0.1 } }],
    [['--optimizer.kind', 'sgd', '--optimizer.learning-rate', '0.3'], { optimizer: { kind: 'sgd', learningRate: { base: { kind: 'constant', rate: 0.3 }, warmupSteps: 0 } } }],
    [['--optimizer.beta1', '0.8'], { optimizer: { kind: 'adam', beta1: 0.8 } }],
    [['--optimizer.learning-rate.warmup-steps', '9'], { optimizer: { learningRate: { base: { kind: 'constant', rate: 0.001 }, warmupSteps: 9 } } }],
    [['--optimizer', 'sgd', '--optimizer.learning-rate.base', 'cosine', '--optimizer.learning-rate', '0.2'], { optimizer: { learningRate: { base: { kind: 'cosine', rate: 0.2 } } } }],
    [['--model', 'mlp', '--model.hidden', '32,16'], { model: { kind: 'mlp', hidden: [32, 16] } }],
    [['--model.dropout', '0.5'], { model: { kind: 'cnn', dropout: 0.5 } }],
    [['--loss.label-smoothing', '0.1'], { loss: { kind: 'crossEntropy', labelSmoothing: 0.1 } }],
    [['--loss', 'meanSquaredError'], { loss: { kind: 'meanSquaredError' } }],
    [['--data.resize', '32,32', '--data.channels', '3', '--data.augmentation.shift', '2'], { data: { resize: [32, 32], channels: 3, augmentation: { shift: 2, rotation: 0 } } }],
    [['--data.source', 'idx', '--data.source.directory', '/digits'], { data: { source: { kind: 'idx', directory: '/digits' } } }],
    [['--data.validation', '0.1', '--keep-best', '--data.stratified', 'false'], { keepBest: true, data: { stratified: false } }],
    [['--max-steps', 'none', '--clipping.global-norm', '1'], { maxSteps: null, clipping: { globalNorm: 1 } }],
    [['--engine', 'javascript'], { numerics: { engine: 'javascript' } }],
    [['--numerics.engine', 'cpu', '--numerics.one-dnn', 'false'], { numerics: { engine: 'cpu', oneDnn: false } }],
  ])('%j', async (flags, expected) => {
    expect((await withFlags(flags)).config).toMatchObject(expected);
  });

  it('win over the file and keep what they do not name', async () => {
    const file = await runFile('flags.ts', 'optimizer: sgd({ learningRate: warmup(0.5, 10), l2: 0.1 }), epochs: 9, seed: 3');
    const { config } = await withFlags(['--epochs', '2', '--optimizer.learning-rate.base.rate', '0.25'], { configFile: file });
    expect(config).toMatchObject({ epochs: 2, seed: 3, optimizer: { kind: 'sgd', l2: 0.1, learningRate: { base: { rate: 0.25 }, warmupSteps: 10 } } });
    expect((await withFlags(['--optimizer', 'adamw'], { configFile: file })).config.optimizer).toMatchObject({ kind: 'adamw', weightDecay: 0.01 });
  });

  it.each(['mnist:', 'idx', 'idx:', 'csv:', 'tar:x', ''])('refuse --data %j', async (dataFlag) => {
    expect(await messageOf(withFlags([], { dataFlag }))).toBe(`data: got ${JSON.stringify(dataFlag)}, expected mnist, idx:DIR, csv:TRAIN[,TEST], images:DIR or tokens:FILE (from --data)`);
  });
});

describe('a wrong value is one line that names field, value, what is allowed, and where it was said', () => {
  it.each<[string[], string]>([
    [['--micro-batches', '3'], 'microBatches: got 3, expected a power of two (from --micro-batches)'],
    [['--epochs', 'many'], 'epochs: got "many", expected a whole number, at least 1 (from --epochs)'],
    [['--model', 'cnnx'], 'model.kind: got "cnnx", expected one of mlp, cnn, cnn-small, lenet, rnn, resnet, vit, mobilenetV2, vgg16, resnet50, layersModel, transformer, pretrained (from --model)'],
    [['--global-batch-size', '4'], 'microBatches: got 8, expected at most globalBatchSize (4) (the default)'],
    [['--model', 'lenet', '--model.dropout', '0.5'], 'model.dropout: unknown field of lenet, which has no fields (from --model.dropout)'],
    [['--keep-best', 'perhaps'], 'keepBest: got "perhaps", expected true or false (from --keep-best)'],
    [['--data.resize', '4,600'], 'data.resize[0]: got 4, expected a whole number from 8 to 512 (from --data.resize)\ndata.resize[1]: got 600, expected a whole number from 8 to 512 (from --data.resize)'],
  ])('%j', async (flags, message) => {
    expect(await messageOf(withFlags(flags))).toBe(message);
  });

  it('names the file for what the file says', async () => {
    const file = await runFile('wrong.ts', "epochs: 0, optimizer: adam({ beta1: 1, learningRatee: 3 } as never), modell: 'cnn', data: mnist({ scale: 'big' as never })");
    expect((await messageOf(withFlags([], { configFile: file }))).split('\n')).toEqual([
      `data.scale: got "big", expected one of unit, standard, none (from ${file})`,
      `optimizer.beta1: got 1, expected a number, at least 0 and below 1 (from ${file})`,
      `optimizer.learningRatee: unknown field of adam, did you mean learningRate? (from ${file})`,
      `epochs: got 0, expected a whole number, at least 1 (from ${file})`,
      `modell: unknown field, did you mean model? (from ${file})`,
    ]);
  });
});
