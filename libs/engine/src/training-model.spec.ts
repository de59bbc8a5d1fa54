import { bytesOf, lossSchema, numericsSchema, sha256, uniformStream, type LossConfig } from '@lockstep/core';
import type { LayersModel } from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from './engine.ts';
import { LayersTrainingModel } from './layers-training-model.ts';
import { openLocalEngine } from './local-engine.ts';
import { perExampleLoss } from './loss.ts';
import { withSeededMathRandom } from './random-layers.ts';
import { createTrainingModel, type TrainingModel } from './training-model.ts';

const NUM_CLASSES = 5;
const SAMPLE_SHAPE = [9, 8, 2];
const crossEntropy = lossSchema.parse({ kind: 'crossEntropy' });

let engine: Engine;
beforeAll(async () => {
  engine = await openLocalEngine(numericsSchema.parse({}));
});

function examples(numExamples: number, seed = 1) {
  const uniform = uniformStream(seed);
  return {
    inputs: Float32Array.from({ length: numExamples * SAMPLE_SHAPE.reduce((a, b) => a * b) }, uniform),
    labels: Uint8Array.from({ length: numExamples }, () => uniform() * NUM_CLASSES),
  };
}

type Layers = Engine['tf']['layers'];
type LayerList = Parameters<Engine['tf']['sequential']>[0] extends infer Config ? NonNullable<Config extends { layers?: infer L } ? L : never> : never;

const convolutional = (layers: Layers): LayerList => [
  layers.conv2d({ filters: 4, kernelSize: 3, activation: 'relu', inputShape: SAMPLE_SHAPE }),
  layers.maxPooling2d({ poolSize: 2 }),
  layers.dropout({ rate: 0.25 }),
  layers.conv2d({ filters: 3, kernelSize: 2, padding: 'same', strides: 1, activation: 'tanh', useBias: false }),
  layers.averagePooling2d({ poolSize: 2, strides: 1, padding: 'same' }),
  layers.flatten(),
  layers.dense({ units: 6, activation: 'elu' }),
  layers.dropout({ rate: 0.5 }),
  layers.dense({ units: NUM_CLASSES }),
];

const perceptron = (layers: Layers): LayerList => [
  layers.flatten({ inputShape: SAMPLE_SHAPE }),
  layers.dense({ units: 7, activation: 'sigmoid' }),
  layers.dense({ units: NUM_CLASSES }),
];

const normalised = (layers: Layers): LayerList => [
  layers.conv2d({ filters: 4, kernelSize: 3, inputShape: SAMPLE_SHAPE }),
  layers.batchNormalization({ momentum: 0.9 }),
  layers.flatten(),
  layers.dense({ units: NUM_CLASSES }),
];

function build(list: (layers: Layers) => LayerList, seed = 3): LayersModel {
  return withSeededMathRandom(seed, () => engine.tf.sequential({ layers: list(engine.tf.layers) }));
}

const training = (list: (layers: Layers) => LayerList, loss: LossConfig = crossEntropy): TrainingModel => createTrainingModel(engine, build(list), { loss, numClasses: NUM_CLASSES });

function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((largest, value, index) => Math.max(largest, Math.abs(value - b[index]!)), 0);
}

describe('the chain of a sequential model', () => {
  it.each([['with convolutions, pooling and dropout', convolutional], ['of dense layers', perceptron]])('%s gives the gradient that TensorFlow.js gives', (_, list) => {
    for (const loss of [crossEntropy, lossSchema.parse({ kind: 'crossEntropy', labelSmoothing: 0.1 })]) {
      const { inputs, labels } = examples(6);
      const chain = training(list, loss);
      const layers = new LayersTrainingModel(engine, build(list), perExampleLoss(engine, loss, NUM_CLASSES), { numClasses: NUM_CLASSES, outputsAre: 'logits' });
      expect(chain).not.toBeInstanceOf(LayersTrainingModel);
      const [ours, theirs] = [chain.gradient(inputs, labels, 5), layers.gradient(inputs, labels, 5)];
      expect(chain.layout).toEqual(layers.layout);
      expect(largestDifference(ours.flat, theirs.flat)).toBeLessThan(1e-6);
      expect(ours.lossSum).toBeCloseTo(theirs.lossSum, 5);
      expect(ours.numCorrect).toBe(theirs.numCorrect);
      expect(largestDifference(chain.evaluate(inputs, labels).probabilities, layers.evaluate(inputs, labels).probabilities)).toBeLessThan(1e-6);
    }
  });
});

describe.each([['a chain', convolutional], ['a model with BatchNorm', normalised]])('%s', (_, list) => {
  it('gives the same bytes for the same parameters, examples and seed, and other bytes for another seed only with dropout', () => {
    const { inputs, labels } = examples(6);
    const [first, second] = [training(list), training(list)];
    second.loadParameters(first.readParameters());
    const hashes = [first.gradient(inputs, labels, 5), first.gradient(inputs, labels, 5), second.gradient(inputs, labels, 5)].map(({ flat }) => sha256(bytesOf(flat)));
    expect(new Set(hashes).size).toBe(1);
    expect(sha256(bytesOf(first.gradient(inputs, labels, 6).flat)) === hashes[0]).toBe(list === normalised);
  });

  it('leaves no tensor behind after a load, a gradient and an evaluation', () => {
    const { inputs, labels } = examples(6);
    const model = training(list);
    const step = (): number => {
      model.loadParameters(new Float32Array(new SharedArrayBuffer(4 * model.layout.totalLength)).fill(0.01));
      model.gradient(inputs, labels, 5);
      model.evaluate(inputs, labels);
      return engine.tf.memory().numTensors + nativeTensors();
    };
    step();
    const before = step();
    expect([step(), step()]).toEqual([before, before]);
  });

  it('reads back what was loaded, and computes with it', () => {
    const { inputs, labels } = examples(6);
    const model = training(list);
    const flat = Float32Array.from({ length: model.layout.totalLength }, uniformStream(8));
    const before = model.gradient(inputs, labels, 5);
    model.loadParameters(flat);
    expect(model.readParameters()).toEqual(flat);
    expect(sha256(bytesOf(model.gradient(inputs, labels, 5).flat))).not.toBe(sha256(bytesOf(before.flat)));
  });
});

function nativeTensors(): number {
  const { binding } = engine.tf.backend() as unknown as { binding: { getNumOfTensors(): number } };
  return binding.getNumOfTensors();
}

describe('random layers', () => {
  const lstm = (layers: Layers, dropout: number) => layers.lstm({ units: 3, dropout, recurrentDropout: dropout, recurrentInitializer: 'glorotNormal' });
  const RANDOM: readonly [string, (layers: Layers) => LayerList][] = [
    ['Dropout with a seed of its own', (layers) => [layers.dropout({ rate: 0.3, seed: 1 }), lstm(layers, 0)]],
    ['SpatialDropout1D', (layers) => [layers.spatialDropout1d({ rate: 0.3 }), lstm(layers, 0)]],
    ['dropout inside LSTM', (layers) => [lstm(layers, 0.3)]],
    ['GaussianNoise', (layers) => [layers.gaussianNoise({ stddev: 0.3 }), lstm(layers, 0)]],
    ['GaussianDropout', (layers) => [layers.gaussianDropout({ rate: 0.3 }), lstm(layers, 0)]],
    ['AlphaDropout', (layers) => [layers.alphaDropout({ rate: 0.3 }), lstm(layers, 0)]],
  ];

  it.each(RANDOM)('%s draws from the seed of the micro-batch alone, and not in evaluation', (_, middle) => {
    const { inputs, labels } = examples(6);
    const list = (layers: Layers): LayerList => [layers.reshape({ targetShape: [9, 16], inputShape: SAMPLE_SHAPE }), ...middle(layers), layers.dense({ units: NUM_CLASSES })];
    const [first, second] = [training(list), training(list)];
    const hashOf = (model: TrainingModel, seed: number): string => sha256(bytesOf(model.gradient(inputs, labels, seed).flat));
    first.gradient(inputs, labels, 1);
    expect(hashOf(first, 5)).toBe(hashOf(second, 5));
    expect(hashOf(first, 6)).not.toBe(hashOf(second, 5));
    expect(first.evaluate(inputs, labels)).toEqual(second.evaluate(inputs, labels));
  });
});

describe('buffers', () => {
  it('carry the change of the moving statistics times the number of examples, from the version loaded every time', () => {
    const { inputs, labels } = examples(6);
    const model = training(normalised);
    const version = model.readParameters();
    const { flat } = model.gradient(inputs, labels, 5);
    expect(model.readParameters()).toEqual(version);
    const mean = model.layout.parameters.find(({ name }) => name.endsWith('moving_mean'))!;
    const variance = model.layout.parameters.find(({ name }) => name.endsWith('moving_variance'))!;
    expect([mean.kind, variance.kind]).toEqual(['buffer', 'buffer']);
    const statistics = convolvedStatistics(version, inputs);
    for (let channel = 0; channel < 4; channel++) {
      expect(flat[mean.offset + channel]! / 6).toBeCloseTo(0.1 * statistics.mean[channel]!, 5);
      expect(flat[variance.offset + channel]! / 6).toBeCloseTo(0.1 * (statistics.variance[channel]! - 1), 4);
    }
  });

  /** The batch statistics of the first convolution's output, by plain TensorFlow.js. */
  function convolvedStatistics(parameters: Float32Array, inputs: Float32Array) {
    const { tf } = engine;
    const kernel = tf.tensor4d(parameters.subarray(0, 3 * 3 * 2 * 4), [3, 3, 2, 4]);
    const { mean, variance } = tf.moments(tf.conv2d(tf.tensor4d(inputs, [6, 9, 8, 2]), kernel, 1, 'valid'), [0, 1, 2]);
    return { mean: mean.dataSync(), variance: variance.dataSync() };
  }
});

describe('layers', () => {
  it('that are frozen keep what they have, statistics too, and are not in the flat vector', () => {
    const { inputs, labels } = examples(6);
    const model = build(normalised);
    model.layers[1]!.trainable = false;
    const frozen = createTrainingModel(engine, model, { loss: crossEntropy, numClasses: NUM_CLASSES });
    const before = [...frozen.readFrozen()];
    const { flat } = frozen.gradient(inputs, labels, 5);
    expect(frozen.specs.filter(({ kind }) => kind === 'frozen').map(({ shape }) => shape)).toEqual([[4], [4], [4], [4]]);
    expect(flat).toHaveLength(frozen.layout.totalLength);
    expect(frozen.layout.parameters.map(({ kind }) => kind)).not.toContain('frozen');
    expect(frozen.layout.totalLength).toBe(frozen.layout.trainableLength);
    expect([...frozen.readFrozen()]).toEqual(before);
  });

  it('that are frozen, and all within a frozen one, take the values that they are given', () => {
    const { inputs, labels } = examples(6);
    const base = (layers: Layers): LayerList => [layers.flatten({ inputShape: SAMPLE_SHAPE }), layers.dense({ units: 5, activation: 'tanh' })];
    const { layers, sequential } = engine.tf;
    const model = sequential({ layers: [sequential({ layers: base(layers) as never }), layers.dense({ units: NUM_CLASSES })] });
    model.layers[0]!.trainable = false;
    const training = createTrainingModel(engine, model, { loss: crossEntropy, numClasses: NUM_CLASSES });
    expect(training.specs.map(({ kind }) => kind)).toEqual(['trainable', 'trainable', 'frozen', 'frozen']);
    const { lossSum } = training.evaluate(inputs, labels);
    const values = Float32Array.from([...training.readFrozen()].flatMap((tensor) => [...tensor]));
    training.loadFrozen(values.map((value) => value * 2));
    expect(training.evaluate(inputs, labels).lossSum).not.toBe(lossSum);
    training.loadFrozen(values);
    expect(training.evaluate(inputs, labels).lossSum).toBe(lossSum);
  });

  it('with a constraint are refused', () => {
    const constrained = (layers: Layers): LayerList => [layers.flatten({ inputShape: SAMPLE_SHAPE }), layers.dense({ name: 'out', units: NUM_CLASSES, kernelConstraint: 'nonNeg' })];
    expect(() => training(constrained)).toThrow(/layer 'out' has a kernelConstraint/);
  });
});

describe('regularization', () => {
  it('adds the penalty and its gradient once for each example', () => {
    const { inputs, labels } = examples(6);
    const withPenalty = (layers: Layers): LayerList => [
      layers.flatten({ inputShape: SAMPLE_SHAPE }),
      layers.dense({ units: NUM_CLASSES, kernelRegularizer: engine.tf.regularizers.l2({ l2: 0.5 }) }),
    ];
    const without = (layers: Layers): LayerList => [layers.flatten({ inputShape: SAMPLE_SHAPE }), layers.dense({ units: NUM_CLASSES })];
    const [penalised, plain] = [training(withPenalty), training(without)];
    const parameters = plain.readParameters();
    penalised.loadParameters(parameters);
    const [a, b] = [penalised.gradient(inputs, labels, 5), plain.gradient(inputs, labels, 5)];
    const kernel = parameters.subarray(0, plain.layout.parameters[0]!.length);
    expect(a.lossSum - b.lossSum).toBeCloseTo(6 * 0.5 * kernel.reduce((sum, w) => sum + w * w, 0), 3);
    kernel.forEach((w, index) => expect(a.flat[index]! - b.flat[index]!).toBeCloseTo(6 * 2 * 0.5 * w, 4));
  });
});

describe('losses', () => {
  const softmaxModel = (layers: Layers): LayerList => [layers.flatten({ inputShape: SAMPLE_SHAPE }), layers.dense({ units: NUM_CLASSES, activation: 'softmax' })];
  const logitsModel = (layers: Layers): LayerList => [layers.flatten({ inputShape: SAMPLE_SHAPE }), layers.dense({ units: NUM_CLASSES })];

  it('from probabilities equal those from logits', () => {
    const { inputs, labels } = examples(6);
    const [fromProbabilities, fromLogits] = [training(softmaxModel, lossSchema.parse({ kind: 'crossEntropy', fromLogits: false, labelSmoothing: 0.1 })), training(logitsModel, lossSchema.parse({ kind: 'crossEntropy', labelSmoothing: 0.1 }))];
    const [a, b] = [fromProbabilities.gradient(inputs, labels, 0), fromLogits.gradient(inputs, labels, 0)];
    expect(a.lossSum).toBeCloseTo(b.lossSum, 4);
    expect(largestDifference(a.flat, b.flat)).toBeLessThan(1e-5);
  });

  it('of squared error are the mean over the classes of the squared difference from one-hot', () => {
    const { inputs, labels } = examples(6);
    const model = training(softmaxModel, lossSchema.parse({ kind: 'meanSquaredError' }));
    const { lossSum, probabilities } = model.evaluate(inputs, labels);
    const expected = probabilities.reduce((sum, p, index) => sum + (p - (index % NUM_CLASSES === labels[Math.floor(index / NUM_CLASSES)] ? 1 : 0)) ** 2 / NUM_CLASSES, 0);
    expect(lossSum).toBeCloseTo(expected, 5);
    expect(model.gradient(inputs, labels, 0).lossSum).toBeCloseTo(expected, 5);
  });

  it('that do not fit the model are refused with what to do', () => {
    expect(() => training(softmaxModel)).toThrow(/fromLogits: true, but the model ends in 'softmax'/);
    expect(() => training(logitsModel, lossSchema.parse({ kind: 'crossEntropy', fromLogits: false }))).toThrow(/its outputs are logits/);
    expect(() => createTrainingModel(engine, build(logitsModel), { loss: crossEntropy, numClasses: 7 })).toThrow(/shape \[n, 5\], expected \[n, 7\]/);
  });

  it('need labels that are classes', () => {
    const { inputs, labels } = examples(6);
    labels[4] = 5;
    expect(() => training(logitsModel).gradient(inputs, labels, 0)).toThrow(/label 5 of example 4 in the micro-batch: expected 0 to 4/);
  });
});

describe('names', () => {
  it('of unnamed layers do not depend on what the process built before, and are those in the topology', () => {
    const [first, second] = [training(normalised), training(normalised)];
    expect(second.layout).toEqual(first.layout);
    expect(second.topology).toEqual(first.topology);
    expect(first.layout.parameters.map(({ name }) => name)).toContain('batch_normalization_BatchNormalization1/moving_mean');
    expect(JSON.stringify(first.topology)).toContain('"batch_normalization_BatchNormalization1"');
  });
});
