import { assertNever, type BackboneConfig } from '@lockstep/core';
import type { Tf } from '@lockstep/engine';
import type { SymbolicTensor } from '@tensorflow/tfjs';

/** What the data gives: 0..1 or 0..255. */
export type PixelScale = 'unit' | 'none';

/** Of ImageNet's training images, blue, green and red, from 0..255: what Caffe's models were trained less. */
const MEAN_BGR = [103.939, 116.779, 123.68];

/** The layer's output is `pixels * factor + offset` a channel, the channels in reverse order or as they are. */
interface ColourMap {
  readonly factor: number;
  readonly offsets: readonly number[];
  readonly reversed: boolean;
}

/**
 * The fixed first layer of a model: from the pixels as the data gives them to those that the backbone expects, as Keras Applications'
 * `preprocess_input` computes them. A frozen 1x1 convolution, which any TensorFlow.js opens.
 */
export function expectedPixels(tf: Tf, image: SymbolicTensor, given: PixelScale, expected: BackboneConfig['expects']): SymbolicTensor {
  const { factor, offsets, reversed } = colourMap(given, expected);
  const layer = tf.layers.conv2d({ name: 'pixels', filters: 3, kernelSize: 1, kernelInitializer: 'zeros', trainable: false });
  const pixels = layer.apply(image) as SymbolicTensor;
  tf.tidy(() => {
    const diagonal = tf.mul(tf.eye(3), factor);
    layer.setWeights([tf.reshape(reversed ? tf.reverse(diagonal, 1) : diagonal, [1, 1, 3, 3]), tf.tensor1d([...offsets])]);
  });
  return pixels;
}

function colourMap(given: PixelScale, expected: BackboneConfig['expects']): ColourMap {
  const toBytes = given === 'unit' ? 255 : 1;
  switch (expected) {
    case 'bytes': return { factor: toBytes, offsets: [0, 0, 0], reversed: false };
    case 'unit': return { factor: toBytes / 255, offsets: [0, 0, 0], reversed: false };
    case 'signed': return { factor: toBytes / 127.5, offsets: [-1, -1, -1], reversed: false };
    case 'caffe': return { factor: toBytes, offsets: MEAN_BGR.map((mean) => -mean), reversed: true };
    default: return assertNever(expected);
  }
}
