import type { Tensor } from '@tensorflow/tfjs';
import type { Stage, StageContext } from './stage.ts';

/** The input with mean square 1 (and mean 0 in a layer norm), and the factor `[n, 1]` that made it so. */
export type NormSaved = { readonly normal: Tensor; readonly factor: Tensor };

/** Layer norm (Ba et al. 2016) or RMS norm (Zhang and Sennrich 2019) over the last axis. */
export function normStage({ engine: { tf }, architecture, weights }: StageContext, name: string): Stage<NormSaved> {
  const [weight, bias] = [`${name}.weight`, `${name}.bias`];
  const centred = architecture.norm === 'layerNorm';
  const centre = (x: Tensor): Tensor => (centred ? tf.sub(x, tf.mean(x, 1, true)) : x);
  return {
    forward(_, x) {
      const c = centre(x);
      const factor = tf.rsqrt(tf.add(tf.mean(tf.square(c), 1, true), architecture.normEpsilon));
      const normal = tf.mul(c, factor);
      const scaled = tf.mul(normal, weights.get(weight));
      return { y: centred ? tf.add(scaled, weights.get(bias)) : scaled, saved: { normal, factor } };
    },
    backward(_, { normal, factor }, dy, gradients) {
      if (weights.trains(weight)) gradients.set(weight, tf.sum(tf.mul(dy, normal), 0));
      if (centred && weights.trains(bias)) gradients.set(bias, tf.sum(dy, 0));
      const dNormal = tf.mul(dy, weights.get(weight));
      const along = tf.mul(normal, tf.mean(tf.mul(dNormal, normal), 1, true));
      return tf.mul(tf.sub(centre(dNormal), along), factor);
    },
  };
}
