import { lossSchema, modelSchema, numericsSchema, type ModelOptions } from '@lockstep/core';
import { createTrainingModel, openLocalEngine, type Engine } from '@lockstep/engine';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildModel } from './build-model.ts';

const MODELS: readonly ModelOptions[] = [
  { kind: 'mlp', hidden: [8] },
  { kind: 'cnn' },
  { kind: 'lenet' },
  { kind: 'rnn', units: 6 },
  { kind: 'rnn', cell: 'gru', units: 6 },
  { kind: 'resnet', blocks: 2, width: 4 },
  { kind: 'vit', patch: 6, width: 8, depth: 1, heads: 2 },
];

async function gradientOf(engine: Engine, options: ModelOptions): Promise<Float32Array> {
  const inputs = Float32Array.from({ length: 3 * 144 }, (_, index) => ((index * 37) % 101) / 101);
  const model = await buildModel(engine, modelSchema.parse(options), { sampleShape: [12, 12, 1], numClasses: 4, seed: 6 });
  return createTrainingModel(engine, model, { loss: lossSchema.parse({ kind: 'crossEntropy' }), numClasses: 4 }).gradient(inputs, Uint8Array.of(0, 3, 1), 1).flat;
}

async function gradientsOf(engine: Engine): Promise<Float32Array[]> {
  const gradients: Float32Array[] = [];
  for (const options of MODELS) gradients.push(await gradientOf(engine, options));
  return gradients;
}

describe('the native engine', () => {
  let inJavaScript: Float32Array[];
  let native: Float32Array[];
  beforeAll(async () => { // JavaScript first: the native engine brings its own gradients with it
    inJavaScript = await gradientsOf(await openLocalEngine(numericsSchema.parse({ engine: 'javascript' })));
    native = await gradientsOf(await openLocalEngine(numericsSchema.parse({})));
  });

  it.each(MODELS.map((model, index) => [JSON.stringify(model), index] as const))('gives the gradient of TensorFlow.js in JavaScript for %s', (_, index) => {
    const [ours, theirs] = [native[index]!, inJavaScript[index]!];
    const scale = theirs.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
    const difference = theirs.reduce((largest, value, i) => Math.max(largest, Math.abs(value - ours[i]!)), 0);
    expect(scale).toBeGreaterThan(0.1);
    expect(difference / scale).toBeLessThan(5e-6);
  });
});
