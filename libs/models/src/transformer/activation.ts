import type { Tensor } from '@tensorflow/tfjs';
import type { StageContext } from './stage.ts';

export type ActivationSaved = Record<string, Tensor>;

/** A function of one or two tensors of the same shape, element by element, with its gradient. */
export interface Activation {
  forward(inputs: readonly Tensor[]): { readonly y: Tensor; readonly saved: ActivationSaved };
  backward(saved: ActivationSaved, dy: Tensor): readonly Tensor[];
}

/** `gate * sigmoid(gate) * up` (Shazeer 2020). */
export function swigluActivation({ engine: { tf }, kernels }: StageContext): Activation {
  return {
    forward([gate, up]) {
      const sigmoid = tf.sigmoid(gate!);
      const silu = tf.mul(gate!, sigmoid);
      return { y: tf.mul(silu, up!), saved: { gate: gate!, up: up!, sigmoid, silu } };
    },
    backward({ gate, up, sigmoid, silu }, dy) {
      const dSilu = tf.mul(dy, up!);
      const dGate = tf.add(tf.mul(dSilu, sigmoid!), kernels.sigmoidGradient(sigmoid!, tf.mul(dSilu, gate!)));
      return [dGate, tf.mul(dy, silu!)];
    },
  };
}

const SLOPE = Math.sqrt(2 / Math.PI);
const CUBIC = 0.044715;

/** GPT-2's approximation `x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3)))` (Hendrycks and Gimpel 2016). */
export function geluActivation({ engine: { tf }, kernels }: StageContext): Activation {
  return {
    forward([x]) {
      const inner = tf.mul(x!, tf.add(tf.mul(tf.square(x!), SLOPE * CUBIC), SLOPE));
      const tanh = tf.tanh(inner);
      return { y: tf.mul(tf.mul(x!, 0.5), tf.add(tanh, 1)), saved: { x: x!, tanh } };
    },
    backward({ x, tanh }, dy) {
      const slope = tf.add(tf.mul(tf.square(x!), 3 * SLOPE * CUBIC), SLOPE);
      const half = tf.mul(dy, 0.5);
      const throughTanh = kernels.tanhGradient(tanh!, tf.mul(tf.mul(half, x!), slope));
      return [tf.add(tf.mul(half, tf.add(tanh!, 1)), throughTanh)];
    },
  };
}
