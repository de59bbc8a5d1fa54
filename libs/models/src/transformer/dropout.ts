import type { Tensor } from '@tensorflow/tfjs';
import type { Pass, StageContext } from './stage.ts';

/** Scales each element by 0 or `1 / (1 - rate)`. Linear, and the same for the same pass: the gradient goes through the same function. */
export type Dropout = (pass: Pass, x: Tensor) => Tensor;

/** Draws are a pure function of the pass's seed and this place's number, so that none is kept for the backward pass. */
export function dropoutOf({ engine: { tf }, kernels, nextDraw }: StageContext, rate: number): Dropout {
  const draw = nextDraw();
  return ({ dropoutSeed }, x) => {
    if (dropoutSeed === null || rate === 0) return x;
    return tf.tidy(() => {
      const kept = tf.greaterEqual(kernels.uniform(x.shape, dropoutSeed, draw), rate);
      return tf.mul(x, tf.mul(tf.cast(kept, 'float32'), 1 / (1 - rate)));
    });
  };
}
