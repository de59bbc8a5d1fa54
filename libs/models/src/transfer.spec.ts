import { lossSchema, modelSchema, numericsSchema, type BackboneConfig, type ModelOptions } from '@lockstep/core';
import { createTrainingModel, openLocalEngine, type Engine, type TrainingModel } from '@lockstep/engine';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildModel } from './build-model.ts';
import { expectedPixels, type PixelScale } from './pixel-layer.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await openLocalEngine(numericsSchema.parse({}));
});

/** The smallest MobileNetV2, cut after its second block. */
const SMALL = { kind: 'mobilenetV2', alpha: 0.1, cutAt: 'block_1_project_BN' } as const;

async function training(options: ModelOptions, pixelScale: PixelScale = 'unit'): Promise<TrainingModel> {
  const model = await buildModel(engine, modelSchema.parse(options), { sampleShape: [16, 16, 3], numClasses: 4, seed: 5, backbone: { pixelScale, saved: null } });
  return createTrainingModel(engine, model, { loss: lossSchema.parse({ kind: 'crossEntropy' }), numClasses: 4 });
}

const namesOf = ({ specs }: TrainingModel, wanted: string): string[] => specs.filter(({ kind }) => kind === wanted).map(({ name }) => name);

const pixels = (numExamples: number, highest = 1): Float32Array => Float32Array.from({ length: numExamples * 768 }, (_, index) => (((index * 37) % 101) / 101) * highest);

describe('the pixels that a backbone reads', () => {
  it.each<[PixelScale, BackboneConfig['expects'], readonly number[], readonly number[]]>([
    ['none', 'bytes', [10, 20, 255], [10, 20, 255]],
    ['none', 'unit', [0, 51, 255], [0, 0.2, 1]],
    ['none', 'signed', [0, 127.5, 255], [-1, 0, 1]],
    ['unit', 'signed', [0, 0.5, 1], [-1, 0, 1]],
    ['unit', 'bytes', [0, 0.2, 1], [0, 51, 255]],
    ['none', 'caffe', [10, 20, 30], [30 - 103.939, 20 - 116.779, 10 - 123.68]],
    ['unit', 'caffe', [0.2, 0.4, 1], [255 - 103.939, 102 - 116.779, 51 - 123.68]],
  ])('from %s to %s: %j becomes %j', (given, expected, from, to) => {
    const { tf } = engine;
    const image = tf.input({ shape: [1, 1, 3] });
    const model = tf.model({ inputs: image, outputs: expectedPixels(tf, image, given, expected) });
    const found = [...(model.predict(tf.tensor4d([...from], [1, 1, 1, 3])) as ReturnType<Engine['tf']['tensor']>).dataSync()];
    found.forEach((value, channel) => expect(value).toBeCloseTo(to[channel]!, 4));
  });

  it('make the same features from bytes and from shares of them', async () => {
    const [bytes, shares] = [await training(SMALL, 'none'), await training(SMALL, 'unit')];
    const labels = Uint8Array.of(0, 1);
    const [ofBytes, ofShares] = [bytes.evaluate(pixels(2, 255), labels), shares.evaluate(pixels(2), labels)];
    ofBytes.probabilities.forEach((value, index) => expect(value).toBeCloseTo(ofShares.probabilities[index]!, 5));
  });
});

describe('what trains', () => {
  it('is the head alone unless the config says more', async () => {
    const model = await training(SMALL);
    expect(namesOf(model, 'trainable')).toEqual(['head/kernel', 'head/bias']);
    expect(namesOf(model, 'buffer')).toEqual([]);
  });

  it('is everything but the fixed pixel layer', async () => {
    const model = await training({ ...SMALL, trainable: 'all' });
    expect(namesOf(model, 'frozen')).toEqual(['pixels/kernel', 'pixels/bias']);
    expect(namesOf(model, 'buffer')).toContain('block_1_expand_BN/moving_mean');
  });

  it('is the head and the layers that patterns name, and no BatchNorm that none of them names', async () => {
    const model = await training({ ...SMALL, trainable: ['block_1_*project', '*_depthwise'] });
    expect(namesOf(model, 'trainable')).toEqual(['expanded_conv_depthwise/depthwise_kernel', 'block_1_depthwise/depthwise_kernel', 'block_1_project/kernel', 'head/kernel', 'head/bias']);
    expect(namesOf(model, 'buffer')).toEqual([]);
  });

  it('is refused where a pattern names no layer', async () => {
    await expect(training({ ...SMALL, trainable: ['block_1_*', 'block_9*', 'project'] })).rejects.toThrow(expect.objectContaining({
      code: 'config', message: 'model.trainable: no layer of the backbone is named block_9* or project', hint: expect.stringContaining('block_1_project_BN'),
    }));
  });

  it('learns by its gradient, the same bytes each time, with nothing left behind', async () => {
    const model = await training({ ...SMALL, dropout: 0.2, trainable: ['block_1_*'] });
    const [inputs, labels] = [pixels(8), Uint8Array.of(0, 1, 2, 3, 0, 1, 2, 3)];
    const first = model.gradient(inputs, labels, 3).flat;
    const { numTensors } = engine.tf.memory();
    expect(model.gradient(inputs, labels, 3).flat).toEqual(first);
    expect(engine.tf.memory().numTensors).toBe(numTensors);
    expect(first.some((value) => value !== 0)).toBe(true);
  });
});

describe('a transfer model', () => {
  it('opens again from its topology with its tensors, what was frozen being so again', async () => {
    const model = await training({ ...SMALL, trainable: ['block_1_*'] });
    const loaded = await engine.tf.loadLayersModel({ load: async () => ({ modelTopology: structuredClone(model.topology) }) });
    const again = createTrainingModel(engine, loaded, { loss: lossSchema.parse({ kind: 'crossEntropy' }), numClasses: 4 });
    expect(again.specs).toEqual(model.specs);
    again.loadParameters(model.readParameters());
    again.loadFrozen(Float32Array.from([...model.readFrozen()].flatMap((values) => [...values])));
    expect(again.evaluate(pixels(2), Uint8Array.of(0, 1))).toEqual(model.evaluate(pixels(2), Uint8Array.of(0, 1)));
  });

  it('has the same initial bytes in every build from a seed', async () => {
    const [first, second] = [await training(SMALL), await training(SMALL)];
    expect(second.readParameters()).toEqual(first.readParameters());
    expect([...second.readFrozen()]).toEqual([...first.readFrozen()]);
  });
});
