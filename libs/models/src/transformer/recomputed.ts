import type { Tf } from '@lockstep/engine';
import type { Tensor } from '@tensorflow/tfjs';
import type { Stage } from './stage.ts';

/** A stage that keeps nothing but its input and computes its inside again in the backward pass (Chen et al. 2016): the same bits, less memory. */
export function recomputed<Saved>(tf: Tf, stage: Stage<Saved>): Stage<{ readonly x: Tensor }> {
  return {
    forward: (pass, x) => ({ y: tf.tidy(() => stage.forward(pass, x).y), saved: { x } }),
    backward: (pass, { x }, dy, gradients) => tf.tidy(() => stage.backward(pass, stage.forward(pass, x).saved, dy, gradients)),
  };
}
