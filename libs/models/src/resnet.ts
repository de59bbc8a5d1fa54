import type { ModelConfig } from '@lockstep/core';
import type { Tf } from '@lockstep/engine';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs';
import type { ModelShape } from './build-model.ts';

/**
 * A residual network with BatchNorm, as He et al. 2015 have it for small images: a convolution, then `blocks` blocks of
 * two convolutions; every third of them doubles the width and halves the size; global average, dense.
 */
export function buildResnet(tf: Tf, { blocks, width }: Extract<ModelConfig, { kind: 'resnet' }>, { sampleShape, numClasses }: ModelShape): LayersModel {
  const { layers } = tf;
  const input = tf.input({ shape: [...sampleShape], name: 'image' });
  let x = convolution(tf, input, { name: 'stem', filters: width, stride: 1, activate: true });
  const blocksPerStage = Math.ceil(blocks / 3);
  for (let block = 0; block < blocks; block++) {
    const stage = Math.floor(block / blocksPerStage);
    x = residualBlock(tf, x, { name: `block${block + 1}`, filters: width * 2 ** stage, stride: block > 0 && block % blocksPerStage === 0 ? 2 : 1 });
  }
  const pooled = layers.globalAveragePooling2d({ name: 'pool' }).apply(x) as SymbolicTensor;
  const logits = layers.dense({ name: 'logits', units: numClasses }).apply(pooled) as SymbolicTensor;
  return tf.model({ inputs: input, outputs: logits, name: 'resnet' });
}

interface Convolution {
  readonly name: string;
  readonly filters: number;
  readonly stride: number;
  readonly activate: boolean;
}

function convolution({ layers }: Tf, x: SymbolicTensor, { name, filters, stride, activate }: Convolution): SymbolicTensor {
  const convolved = layers.conv2d({ name: `${name}_conv`, filters, kernelSize: 3, strides: stride, padding: 'same', useBias: false, kernelInitializer: 'heNormal' }).apply(x) as SymbolicTensor;
  const normalised = layers.batchNormalization({ name: `${name}_bn` }).apply(convolved) as SymbolicTensor;
  return activate ? (layers.activation({ name: `${name}_relu`, activation: 'relu' }).apply(normalised) as SymbolicTensor) : normalised;
}

function residualBlock(tf: Tf, x: SymbolicTensor, { name, filters, stride }: Omit<Convolution, 'activate'>): SymbolicTensor {
  const { layers } = tf;
  const inner = convolution(tf, x, { name: `${name}_1`, filters, stride, activate: true });
  const residual = convolution(tf, inner, { name: `${name}_2`, filters, stride: 1, activate: false });
  const shortcut = x.shape.at(-1) === filters && stride === 1 ? x
    : (layers.conv2d({ name: `${name}_shortcut`, filters, kernelSize: 1, strides: stride, padding: 'same', useBias: false, kernelInitializer: 'heNormal' }).apply(x) as SymbolicTensor);
  const sum = layers.add({ name: `${name}_add` }).apply([residual, shortcut]) as SymbolicTensor;
  return layers.activation({ name: `${name}_relu`, activation: 'relu' }).apply(sum) as SymbolicTensor;
}
