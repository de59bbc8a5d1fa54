import { bytesOf, lossSchema, modelSchema, numericsSchema, sha256, uniformStream, type ModelConfig, type ModelOptions } from '@lockstep/core';
import { createTrainingModel, openLocalEngine, type Engine, type TrainingModel } from '@lockstep/engine';
import type { LayersModel } from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildModel, type BuildModel } from './build-model.ts';

const SHAPE = { sampleShape: [12, 12, 1], numClasses: 4 };
const loss = lossSchema.parse({ kind: 'crossEntropy' });

const ZOO: readonly [string, ModelOptions][] = [
  ['mlp', { kind: 'mlp', dropout: 0.2 }],
  ['cnn', { kind: 'cnn', dropout: 0.3 }],
  ['cnn-small', { kind: 'cnn-small' }],
  ['lenet', { kind: 'lenet' }],
  ['rnn of LSTM cells', { kind: 'rnn', units: 12 }],
  ['rnn of GRU cells with dropout', { kind: 'rnn', cell: 'gru', units: 12, dropout: 0.2 }],
  ['resnet', { kind: 'resnet', blocks: 4, width: 4 }],
  ['vit', { kind: 'vit', patch: 5, width: 8, depth: 1, heads: 2, dropout: 0.1 }],
];

let engine: Engine;
beforeAll(async () => {
  engine = await openLocalEngine(numericsSchema.parse({}));
});

const build = (config: ModelConfig, seed = 42): Promise<LayersModel> => buildModel(engine, config, { ...SHAPE, seed });

async function training(options: ModelOptions, seed = 42): Promise<TrainingModel> {
  return createTrainingModel(engine, await build(modelSchema.parse(options), seed), { loss, numClasses: SHAPE.numClasses });
}

const hashOf = (model: TrainingModel): string => sha256(bytesOf(model.readParameters()));

/** Each class has a bright quarter of its own, under noise. */
function examples(numExamples: number) {
  const uniform = uniformStream(9);
  const labels = Uint8Array.from({ length: numExamples }, (_, index) => index % SHAPE.numClasses);
  const inputs = Float32Array.from({ length: numExamples * 144 }, (_, index) => {
    const [row, column] = [Math.floor((index % 144) / 12), index % 12];
    const quarter = 2 * Number(row >= 6) + Number(column >= 6);
    return uniform() * 0.3 + (quarter === labels[Math.floor(index / 144)] ? 0.7 : 0);
  });
  return { inputs, labels };
}

describe.each(ZOO)('%s', (_, options) => {
  it('has the same initial bytes in every build from a seed, and others from another', async () => {
    const [first, second, other] = [await training(options), await training(options), await training(options, 43)];
    expect(hashOf(second)).toBe(hashOf(first));
    expect(second.layout).toEqual(first.layout);
    expect(hashOf(other)).not.toBe(hashOf(first));
  });

  it('learns: the loss of the examples falls under gradient steps', async () => {
    const model = await training(options);
    const { inputs, labels } = examples(16);
    const parameters = model.readParameters();
    const before = model.evaluate(inputs, labels).lossSum;
    for (let step = 0; step < 6; step++) {
      const { flat, numExamples } = model.gradient(inputs, labels, step);
      for (let i = 0; i < model.layout.trainableLength; i++) parameters[i]! -= (0.1 * flat[i]!) / numExamples;
      for (let i = model.layout.trainableLength; i < parameters.length; i++) parameters[i]! += flat[i]! / numExamples;
      model.loadParameters(parameters.slice());
      expect(flat.every(Number.isFinite)).toBe(true);
    }
    expect(model.gradient(inputs, labels, 9).lossSum).toBeLessThan(before);
  });

  it('loads again from its topology with the same layout', async () => {
    const model = await training(options);
    const { topology } = model as { topology: object };
    const loaded = await engine.tf.loadLayersModel(engine.tf.io.fromMemory({ modelTopology: structuredClone(topology) }));
    expect(createTrainingModel(engine, loaded, { loss, numClasses: SHAPE.numClasses }).layout).toEqual(model.layout);
  });
});

describe('a model of the config', () => {
  const custom: BuildModel = ({ layers, sequential }) => sequential({ layers: [layers.flatten({ inputShape: [12, 12, 1] }), layers.dense({ units: 4 })] });

  it('has initial values from the seed too, also when built beside others, and leaves Math.random as it was', async () => {
    const random = Math.random;
    const hashes = await Promise.all([1, 1, 2].map(async (seed) => {
      const model = await buildModel(engine, { kind: 'custom' }, { ...SHAPE, seed, custom });
      return hashOf(createTrainingModel(engine, model, { loss, numClasses: 4 }));
    }));
    expect(hashes[1]).toBe(hashes[0]);
    expect(hashes[2]).not.toBe(hashes[0]);
    expect(Math.random).toBe(random);
  });

  it('that is missing or no model is refused', async () => {
    await expect(buildModel(engine, { kind: 'custom' }, { ...SHAPE, seed: 1 })).rejects.toThrow(/no function that builds the model/);
    await expect(buildModel(engine, { kind: 'custom' }, { ...SHAPE, seed: 1, custom: (() => 5) as never })).rejects.toThrow(/gave number, expected a TensorFlow.js LayersModel/);
  });
});
