import type { ModelConfig } from '@lockstep/core';
import type { Tf } from '@lockstep/engine';
import type { LayersModel } from '@tensorflow/tfjs';
import type { ModelShape } from './build-model.ts';

/** The classic CNN of MNIST: Conv 32 3x3, pool, Conv 64 3x3, pool, Dense 128, Dense classes; ReLU, no padding. */
export function buildCnn({ layers, sequential }: Tf, { dropout }: Extract<ModelConfig, { kind: 'cnn' }>, { sampleShape, numClasses }: ModelShape): LayersModel {
  return sequential({
    name: 'cnn',
    layers: [
      layers.conv2d({ name: 'conv1', filters: 32, kernelSize: 3, activation: 'relu', inputShape: [...sampleShape] }),
      layers.maxPooling2d({ name: 'pool1', poolSize: 2 }),
      layers.conv2d({ name: 'conv2', filters: 64, kernelSize: 3, activation: 'relu' }),
      layers.maxPooling2d({ name: 'pool2', poolSize: 2 }),
      layers.flatten({ name: 'flatten' }),
      layers.dense({ name: 'hidden', units: 128, activation: 'relu' }),
      ...(dropout > 0 ? [layers.dropout({ name: 'dropout', rate: dropout })] : []),
      layers.dense({ name: 'logits', units: numClasses }),
    ],
  });
}

/** One convolution and one dense layer: a quarter of the CNN's work. */
export function buildCnnSmall({ layers, sequential }: Tf, { dropout }: Extract<ModelConfig, { kind: 'cnn-small' }>, { sampleShape, numClasses }: ModelShape): LayersModel {
  return sequential({
    name: 'cnn-small',
    layers: [
      layers.conv2d({ name: 'conv', filters: 16, kernelSize: 3, activation: 'relu', inputShape: [...sampleShape] }),
      layers.maxPooling2d({ name: 'pool', poolSize: 2 }),
      layers.flatten({ name: 'flatten' }),
      ...(dropout > 0 ? [layers.dropout({ name: 'dropout', rate: dropout })] : []),
      layers.dense({ name: 'logits', units: numClasses }),
    ],
  });
}

/** LeNet-5 (LeCun et al. 1998) with its sizes; tanh and average pooling as in the paper, softmax in the loss. */
export function buildLenet({ layers, sequential }: Tf, { sampleShape, numClasses }: ModelShape): LayersModel {
  return sequential({
    name: 'lenet',
    layers: [
      layers.conv2d({ name: 'conv1', filters: 6, kernelSize: 5, padding: 'same', activation: 'tanh', inputShape: [...sampleShape] }),
      layers.averagePooling2d({ name: 'pool1', poolSize: 2 }),
      layers.conv2d({ name: 'conv2', filters: 16, kernelSize: 5, activation: 'tanh' }),
      layers.averagePooling2d({ name: 'pool2', poolSize: 2 }),
      layers.flatten({ name: 'flatten' }),
      layers.dense({ name: 'hidden1', units: 120, activation: 'tanh' }),
      layers.dense({ name: 'hidden2', units: 84, activation: 'tanh' }),
      layers.dense({ name: 'logits', units: numClasses }),
    ],
  });
}
