import type { Tensor } from '@tensorflow/tfjs';
import { adapterStage, type AdapterSaved } from './adapter.ts';
import type { Stage, StageContext } from './stage.ts';
import { adapterNames } from './tensor-names.ts';

/** `x` where the weight's own gradient needs it. */
export type LinearSaved = { readonly x: Tensor | undefined; readonly adapter: AdapterSaved | undefined };

/** `y = x W^T + b`, plus its adapter where the model has one. */
export function linearStage(context: StageContext, name: string): Stage<LinearSaved> {
  const { engine: { tf }, kernels, weights } = context;
  const [weight, bias] = [`${name}.weight`, `${name}.bias`];
  const adapter = weights.has(adapterNames(name)[0]) ? adapterStage(context, name) : null;
  return {
    forward(pass, x) {
      const product = kernels.matMul(x, weights.get(weight), false, true);
      const plain = weights.has(bias) ? tf.add(product, weights.get(bias)) : product;
      const low = adapter?.forward(pass, x);
      return { y: low === undefined ? plain : tf.add(plain, low.y), saved: { x: weights.trains(weight) ? x : undefined, adapter: low?.saved } };
    },
    backward(pass, saved, dy, gradients) {
      if (saved.x !== undefined) gradients.set(weight, kernels.matMul(dy, saved.x, true, false));
      if (weights.trains(bias)) gradients.set(bias, tf.sum(dy, 0));
      const dx = kernels.matMul(dy, weights.get(weight), false, false);
      return adapter === null ? dx : tf.add(dx, adapter.backward(pass, saved.adapter!, dy, gradients));
    },
  };
}
