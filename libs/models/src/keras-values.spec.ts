import { modelSchema, numericsSchema, type BackboneConfig, type ModelOptions } from '@lockstep/core';
import { openLocalEngine, type Engine } from '@lockstep/engine';
import type { LayersModel, Tensor } from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { openBackbone } from './backbone.ts';
import { expectedPixels } from './pixel-layer.ts';

/**
 * What Keras 3.15.1 (`keras.applications`, `include_top=False`, with its `preprocess_input`) computes from the pixels and weights below: the means over
 * the image of the first four channels and of the last.
 */
const KERAS: readonly (readonly [ModelOptions, size: number, channels: readonly number[]])[] = [
  [{ kind: 'mobilenetV2', alpha: 0.5 }, 75, [1.4113980531692505, 0.3044854998588562, 1.012444019317627, 1.580235242843628, 0.11808308959007263]],
  [{ kind: 'resnet50' }, 64, [13955.16796875, 95659.046875, 0, 502139.25, 91857.15625]],
  [{ kind: 'vgg16' }, 32, [15.909578323364258, 3.936781644821167, 22.238798141479492, 18.553293228149414, 25.706527709960938]],
];

let engine: Engine;
beforeAll(async () => {
  engine = await openLocalEngine(numericsSchema.parse({}));
});

/** `index² * 37 mod 1009`, as a share of 1009, which repeats after 1,009. */
const SPREAD = Float64Array.from({ length: 1009 }, (_, index) => ((index * index * 37) % 1009) / 1009);

const spread = (index: number): number => SPREAD[index % 1009]!;

function valueOf(name: string, [height, width, channels]: readonly number[]): (index: number) => number {
  if (name.endsWith('gamma') || name.endsWith('moving_variance')) return (index) => 0.5 + spread(index);
  if (/(beta|moving_mean|bias)$/.test(name)) return (index) => 0.2 * spread(index) - 0.1;
  const scale = Math.sqrt(6 / (height! * width! * (name.endsWith('depthwise_kernel') ? 1 : channels!)));
  return (index) => (2 * spread(index) - 1) * scale;
}

function fill(model: LayersModel): void {
  for (const weight of model.weights) {
    const shape = weight.shape.map(Number);
    const value = valueOf(weight.originalName, shape);
    const values = new Float32Array(shape.reduce((product, size) => product * size, 1)).map((_, index) => value(index));
    weight.write(engine.tf.tensor(values, shape));
  }
}

function channelMeans(backbone: LayersModel, expects: BackboneConfig['expects'], size: number): readonly number[] {
  const { tf } = engine;
  const image = tf.input({ shape: [size, size, 3] });
  const model = tf.model({ inputs: image, outputs: backbone.apply(expectedPixels(tf, image, 'none', expects)) as never });
  const pixels = Float32Array.from({ length: size * size * 3 }, (_, index) => (index * index * 37) % 256);
  return [...tf.mean(model.predict(tf.tensor(pixels, [1, size, size, 3])) as Tensor, [0, 1, 2]).dataSync()];
}

describe.each(KERAS)('%j', (options, size, expected) => {
  it('computes what Keras computes, pixels to features', async () => {
    const config = modelSchema.parse(options) as BackboneConfig;
    const backbone = await openBackbone(engine.tf, config, [size, size, 3], null);
    fill(backbone);
    const means = channelMeans(backbone, config.expects, size);
    const largest = Math.max(...expected);
    expected.forEach((value, index) => expect(Math.abs(means.at(index === 4 ? -1 : index)! - value) / largest).toBeLessThan(1e-5));
  });
});
