import type { Kernels, Tf } from '@lockstep/engine';
import type { Tensor } from '@tensorflow/tfjs';
import type { TokenScores } from './token-scores.ts';

export interface TokenLosses {
  readonly scores: TokenScores;
  /** `[n, vocabularySize]` */
  readonly probabilities: Tensor;
}

/**
 * Cross-entropy of logits `[n, vocabularySize]` against `[n]` tokens. A loss is taken at the most probable token, whose probability never vanishes:
 * `-log(p_best) + logit_best - logit_target`.
 */
export function tokenLosses(tf: Tf, kernels: Kernels, logits: Tensor, targets: Int32Array): TokenLosses {
  const probabilities = kernels.softmax(logits);
  const places = Int32Array.from({ length: 2 * targets.length }, (_, index) => (index % 2 === 0 ? index / 2 : targets[(index - 1) / 2]!));
  const ofTargets = tf.gatherND(logits, tf.tensor2d(places, [targets.length, 2], 'int32'));
  const losses = tf.sub(tf.sub(tf.max(logits, 1), ofTargets), tf.log(tf.max(probabilities, 1))).dataSync();
  const best = tf.argMax(logits, 1).dataSync();
  const numCorrect = targets.filter((target, row) => best[row] === target).length;
  return { scores: { lossSum: sumOf(losses as Float32Array), numCorrect, numExamples: targets.length }, probabilities };
}

/** In 64-bit, in order. */
function sumOf(values: Float32Array): number {
  return values.reduce((sum, value) => sum + value, 0);
}
