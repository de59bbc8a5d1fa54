import { LockstepError, type ModelConfig } from '@lockstep/core';
import type { Tf } from '@lockstep/engine';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs';
import type { ModelShape } from './build-model.ts';
import { transformerLayers } from './transformer-layers.ts';

type VitConfig = Extract<ModelConfig, { kind: 'vit' }>;

/**
 * A small Vision Transformer (Dosovitskiy et al. 2020) with normalisation before each part and the mean over positions
 * in the place of a class token. Images that patches do not fill are padded with zeros.
 */
export function buildVit(tf: Tf, config: VitConfig, { sampleShape, numClasses }: ModelShape): LayersModel {
  const { layers } = tf;
  if (config.width % config.heads !== 0) throw new LockstepError('config', `model.heads: ${config.heads} does not divide model.width (${config.width})`);
  const input = tf.input({ shape: [...sampleShape], name: 'image' });
  const patches = layers.conv2d({ name: 'patches', filters: config.width, kernelSize: config.patch, strides: config.patch, padding: 'same' }).apply(input) as SymbolicTensor;
  const positions = patches.shape[1]! * patches.shape[2]!;
  const sequence = layers.reshape({ name: 'sequence', targetShape: [positions, config.width] }).apply(patches) as SymbolicTensor;
  let x = transformerLayers(tf).positionEmbedding({ name: 'positions' }).apply(sequence) as SymbolicTensor;
  for (let block = 1; block <= config.depth; block++) x = transformerBlock(tf, x, config, `block${block}`);
  const normalised = layers.layerNormalization({ name: 'norm' }).apply(x) as SymbolicTensor;
  const pooled = layers.globalAveragePooling1d({ name: 'pool' }).apply(normalised) as SymbolicTensor;
  const logits = layers.dense({ name: 'logits', units: numClasses }).apply(pooled) as SymbolicTensor;
  return tf.model({ inputs: input, outputs: logits, name: 'vit' });
}

function transformerBlock(tf: Tf, x: SymbolicTensor, { width, heads, dropout }: VitConfig, name: string): SymbolicTensor {
  const { layers } = tf;
  const { gelu, selfAttention } = transformerLayers(tf);
  const dropped = (y: SymbolicTensor, part: string): SymbolicTensor => (dropout > 0 ? (layers.dropout({ name: `${name}_${part}_dropout`, rate: dropout }).apply(y) as SymbolicTensor) : y);
  const attended = selfAttention({ name: `${name}_attention`, heads }).apply(layers.layerNormalization({ name: `${name}_norm1` }).apply(x)) as SymbolicTensor;
  const y = layers.add({ name: `${name}_add1` }).apply([x, dropped(attended, 'attention')]) as SymbolicTensor;
  const widened = layers.dense({ name: `${name}_mlp1`, units: 4 * width }).apply(layers.layerNormalization({ name: `${name}_norm2` }).apply(y));
  const narrowed = layers.dense({ name: `${name}_mlp2`, units: width }).apply(gelu({ name: `${name}_gelu` }).apply(widened)) as SymbolicTensor;
  return layers.add({ name: `${name}_add2` }).apply([y, dropped(narrowed, 'mlp')]) as SymbolicTensor;
}
