import type { Tf } from '@lockstep/engine';
import type { SymbolicTensor } from '@tensorflow/tfjs';
import { chain } from './layer-chain.ts';

/** Groups of blocks as the paper's table 2 has them: expansion, channels, blocks, stride of the first. */
const GROUPS = [[1, 16, 1, 1], [6, 24, 2, 2], [6, 32, 3, 2], [6, 64, 4, 2], [6, 96, 3, 1], [6, 160, 3, 2], [6, 320, 1, 1]] as const;

const NORMALISATION = { epsilon: 1e-3, momentum: 0.999 };

interface Block {
  readonly number: number;
  readonly expansion: number;
  readonly filters: number;
  readonly stride: number;
}

/**
 * MobileNetV2 (Sandler et al. 2018) without its classifier, layers and names as in Keras Applications, from an image to
 * features of 1/32 of its size (1,280 channels for `alpha` up to 1).
 */
export function mobilenetV2(tf: Tf, image: SymbolicTensor, alpha: number): SymbolicTensor {
  const { layers } = tf;
  let x = chain(image,
    layers.conv2d({ name: 'Conv1', filters: channels(32 * alpha), kernelSize: 3, strides: 2, padding: 'same', useBias: false }),
    layers.batchNormalization({ name: 'bn_Conv1', ...NORMALISATION }),
    layers.reLU({ name: 'Conv1_relu', maxValue: 6 }));
  let number = 0;
  for (const [expansion, filters, blocks, firstStride] of GROUPS) {
    for (let block = 0; block < blocks; block++) {
      x = invertedResidual(tf, x, { number, expansion, filters: channels(Math.trunc(filters * alpha)), stride: block === 0 ? firstStride : 1 });
      number += 1;
    }
  }
  return chain(x,
    layers.conv2d({ name: 'Conv_1', filters: alpha > 1 ? channels(1280 * alpha) : 1280, kernelSize: 1, useBias: false }),
    layers.batchNormalization({ name: 'Conv_1_bn', ...NORMALISATION }),
    layers.reLU({ name: 'out_relu', maxValue: 6 }));
}

/** Widen, filter each channel, narrow; added to what came in where the shape is the same. */
function invertedResidual(tf: Tf, x: SymbolicTensor, { number, expansion, filters, stride }: Block): SymbolicTensor {
  const { layers } = tf;
  const prefix = number === 0 ? 'expanded_conv_' : `block_${number}_`;
  const inputChannels = x.shape.at(-1)!;
  const expanded = number === 0 ? x : chain(x,
    layers.conv2d({ name: `${prefix}expand`, filters: expansion * inputChannels, kernelSize: 1, useBias: false }),
    layers.batchNormalization({ name: `${prefix}expand_BN`, ...NORMALISATION }),
    layers.reLU({ name: `${prefix}expand_relu`, maxValue: 6 }));
  const narrowed = chain(depthwise(tf, expanded, prefix, stride),
    layers.conv2d({ name: `${prefix}project`, filters, kernelSize: 1, useBias: false }),
    layers.batchNormalization({ name: `${prefix}project_BN`, ...NORMALISATION }));
  return stride === 1 && inputChannels === filters ? (layers.add({ name: `${prefix}add` }).apply([x, narrowed]) as SymbolicTensor) : narrowed;
}

function depthwise({ layers }: Tf, x: SymbolicTensor, prefix: string, stride: number): SymbolicTensor {
  const padded = stride === 1 ? x : chain(x, layers.zeroPadding2d({ name: `${prefix}pad`, padding: stridePadding(x) }));
  return chain(padded,
    layers.depthwiseConv2d({ name: `${prefix}depthwise`, kernelSize: 3, strides: stride, padding: stride === 1 ? 'same' : 'valid', useBias: false }),
    layers.batchNormalization({ name: `${prefix}depthwise_BN`, ...NORMALISATION }),
    layers.reLU({ name: `${prefix}depthwise_relu`, maxValue: 6 }));
}

/** Around a 3x3 filter of stride 2: an even side is padded at its end alone. */
function stridePadding(x: SymbolicTensor): [[number, number], [number, number]] {
  const [, height, width] = x.shape;
  const before = (side: number): number => (side % 2 === 0 ? 0 : 1);
  return [[before(height!), 1], [before(width!), 1]];
}

/** The multiple of 8 nearest to `wanted`, never less than 90 % of it (the paper's reference implementation). */
function channels(wanted: number): number {
  const nearest = Math.max(8, Math.floor((wanted + 4) / 8) * 8);
  return nearest < 0.9 * wanted ? nearest + 8 : nearest;
}
