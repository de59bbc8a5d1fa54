import type { Tf } from '@lockstep/engine';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs';
import { chain } from './layer-chain.ts';

/** Width, blocks and stride of each stage (He et al. 2015, table 1). */
const STAGES = [[64, 3, 1], [128, 4, 2], [256, 6, 2], [512, 3, 2]] as const;

interface Block {
  readonly name: string;
  readonly width: number;
  readonly stride: number;
  /** The first of a stage brings its input to the new shape by a convolution. */
  readonly isFirst: boolean;
}

interface Convolution {
  readonly name: string;
  readonly filters: number;
  readonly kernelSize?: number;
  readonly stride?: number;
}

/** ResNet50 without its classifier, layers and names as in Keras Applications, from an image to 2,048 features of 1/32 of its size. */
export function resnet50(tf: Tf, image: SymbolicTensor): SymbolicTensor {
  const { layers } = tf;
  let x = chain(image,
    layers.zeroPadding2d({ name: 'conv1_pad', padding: [3, 3] }),
    layers.conv2d({ name: 'conv1_conv', filters: 64, kernelSize: 7, strides: 2 }),
    normalisation(tf, 'conv1_bn'),
    layers.reLU({ name: 'conv1_relu' }),
    layers.zeroPadding2d({ name: 'pool1_pad', padding: [1, 1] }),
    layers.maxPooling2d({ name: 'pool1_pool', poolSize: 3, strides: 2 }));
  for (const [index, [width, blocks, firstStride]] of STAGES.entries()) {
    for (let block = 0; block < blocks; block++) {
      x = bottleneck(tf, x, { name: `conv${index + 2}_block${block + 1}`, width, stride: block === 0 ? firstStride : 1, isFirst: block === 0 });
    }
  }
  return x;
}

function bottleneck(tf: Tf, x: SymbolicTensor, { name, width, stride, isFirst }: Block): SymbolicTensor {
  const { layers } = tf;
  const residual = chain(x,
    ...convolution(tf, { name: `${name}_1`, filters: width, stride }),
    layers.reLU({ name: `${name}_1_relu` }),
    ...convolution(tf, { name: `${name}_2`, filters: width, kernelSize: 3 }),
    layers.reLU({ name: `${name}_2_relu` }),
    ...convolution(tf, { name: `${name}_3`, filters: 4 * width }));
  const shortcut = isFirst ? chain(x, ...convolution(tf, { name: `${name}_0`, filters: 4 * width, stride })) : x;
  const sum = layers.add({ name: `${name}_add` }).apply([shortcut, residual]) as SymbolicTensor;
  return chain(sum, layers.reLU({ name: `${name}_out` }));
}

function convolution(tf: Tf, { name, filters, kernelSize = 1, stride = 1 }: Convolution): LayersModel['layers'] {
  return [tf.layers.conv2d({ name: `${name}_conv`, filters, kernelSize, strides: stride, padding: 'same' }), normalisation(tf, `${name}_bn`)];
}

function normalisation({ layers }: Tf, name: string): LayersModel['layers'][number] {
  return layers.batchNormalization({ name, epsilon: 1.001e-5 });
}
