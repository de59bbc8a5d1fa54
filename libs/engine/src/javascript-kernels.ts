import type { Tf } from './engine.ts';
import type { Kernels } from './kernels.ts';

/** The kernels by TensorFlow.js's own ops. */
export function javaScriptKernels(tf: Tf): Omit<Kernels, 'uniform'> {
  return {
    matMul: (a, b, transposeA, transposeB) => tf.matMul(a, b, transposeA, transposeB),
    softmax: (logits) => tf.softmax(logits),
    sigmoidGradient: (y, dy) => tf.tidy(() => tf.mul(dy, tf.mul(y, tf.sub(1, y)))),
    tanhGradient: (y, dy) => tf.tidy(() => tf.mul(dy, tf.sub(1, tf.square(y)))),
    swapHalves: (x) => tf.tidy(() => tf.concat(tf.split(x, 2, -1).reverse(), -1)),
  };
}
