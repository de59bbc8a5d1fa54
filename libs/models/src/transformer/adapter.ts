import type { Tensor } from '@tensorflow/tfjs';
import { dropoutOf } from './dropout.ts';
import type { Stage, StageContext } from './stage.ts';
import { adapterNames } from './tensor-names.ts';

/** The input after dropout, and `low = x A^T` of `[n, rank]`. */
export type AdapterSaved = { readonly x: Tensor; readonly low: Tensor };

/** `y = alpha / rank * dropout(x) A^T B^T` beside a linear layer (LoRA, Hu et al. 2021). */
export function adapterStage(context: StageContext, linear: string): Stage<AdapterSaved> {
  const { engine: { tf }, kernels, weights } = context;
  const { alpha, rank, dropout: rate } = context.lora!;
  const [a, b] = adapterNames(linear);
  const dropout = dropoutOf(context, rate);
  return {
    forward(pass, input) {
      const x = dropout(pass, input);
      const low = tf.mul(kernels.matMul(x, weights.get(a), false, true), alpha / rank);
      return { y: kernels.matMul(low, weights.get(b), false, true), saved: { x, low } };
    },
    backward(pass, { x, low }, dy, gradients) {
      gradients.set(b, kernels.matMul(dy, low, true, false));
      const dLow = tf.mul(kernels.matMul(dy, weights.get(b), false, false), alpha / rank);
      gradients.set(a, kernels.matMul(dLow, x, true, false));
      return dropout(pass, kernels.matMul(dLow, weights.get(a), false, false));
    },
  };
}
