import type { Tf } from '@lockstep/engine';
import type { SymbolicTensor } from '@tensorflow/tfjs';
import { chain } from './layer-chain.ts';

/** Channels and convolutions of each block (Simonyan and Zisserman 2014, configuration D). */
const BLOCKS = [[64, 2], [128, 2], [256, 3], [512, 3], [512, 3]] as const;

/** VGG16 without its classifier, layers and names as in Keras Applications, from an image to 512 features of 1/32 of its size. */
export function vgg16({ layers }: Tf, image: SymbolicTensor): SymbolicTensor {
  return BLOCKS.reduce<SymbolicTensor>((x, [filters, convolutions], index) => {
    const name = `block${index + 1}`;
    const inner = Array.from({ length: convolutions }, (_, number) =>
      layers.conv2d({ name: `${name}_conv${number + 1}`, filters, kernelSize: 3, padding: 'same', activation: 'relu' }));
    return chain(x, ...inner, layers.maxPooling2d({ name: `${name}_pool`, poolSize: 2, strides: 2 }));
  }, image);
}
