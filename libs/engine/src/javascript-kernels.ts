import type { Tensor } from '@tensorflow/tfjs';
import type { Tf } from './engine.ts';
import type { Kernels } from './kernels.ts';

/** The kernels by TensorFlow.js's own ops. */
export function javaScriptKernels(tf: Tf): Omit<Kernels, 'uniform'> {
  return {
    matMul: (a, b, transposeA, transposeB) => tf.matMul(a, b, transposeA, transposeB),
    crossEntropy: (logits, targets) => crossEntropy(tf, logits, targets),
    sigmoidGradient: (y, dy) => tf.tidy(() => tf.mul(dy, tf.mul(y, tf.sub(1, y)))),
    tanhGradient: (y, dy) => tf.tidy(() => tf.mul(dy, tf.sub(1, tf.square(y)))),
    swapHalves: (x) => tf.tidy(() => tf.concat(tf.split(x, 2, -1).reverse(), -1)),
  };
}

function crossEntropy(tf: Tf, logits: Tensor, targets: Tensor): { losses: Tensor; gradient: Tensor } {
  return tf.tidy(() => {
    const logProbabilities = tf.logSoftmax(logits);
    const expected = tf.oneHot(targets.as1D(), logits.shape[1]!).toFloat();
    return {
      losses: tf.neg(tf.sum(tf.mul(expected, logProbabilities), 1)),
      gradient: tf.sub(tf.exp(logProbabilities), expected),
    };
  });
}
