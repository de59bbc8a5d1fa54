import type { ModelConfig } from '@lockstep/core';
import type { Tf } from '@lockstep/engine';
import type { LayersModel } from '@tensorflow/tfjs';
import type { ModelShape } from './build-model.ts';

/** Fully connected layers; the default is 784-128-10 on MNIST. */
export function buildMlp({ layers, sequential }: Tf, config: Extract<ModelConfig, { kind: 'mlp' }>, { sampleShape, numClasses }: ModelShape): LayersModel {
  const model = sequential({ name: 'mlp' });
  model.add(layers.flatten({ name: 'flatten', inputShape: [...sampleShape] }));
  config.hidden.forEach((units, index) => {
    model.add(layers.dense({ name: `hidden${index + 1}`, units, activation: config.activation }));
    if (config.dropout > 0) model.add(layers.dropout({ name: `dropout${index + 1}`, rate: config.dropout }));
  });
  model.add(layers.dense({ name: 'logits', units: numClasses }));
  return model;
}
