import type { Engine, Kernels } from '@lockstep/engine';
import type { Tensor } from '@tensorflow/tfjs';

/** Cosines and sines of the angles of each position, `[rows, 1, rowLength, headWidth]`; the sines of the first half are negative. */
export interface RotaryTables {
  readonly cos: Tensor;
  readonly sin: Tensor;
}

/**
 * Tables for rotary positions (Su et al. 2021) where element i is paired with element `i + headWidth / 2`, as in Llama; angles in 64-bit.
 * `positions` are `[rows, rowLength]`. The caller disposes the tables.
 */
export function rotaryTables({ tf }: Engine, positions: Int32Array, rows: number, headWidth: number, theta: number): RotaryTables {
  const half = headWidth / 2;
  const frequencies = Float64Array.from({ length: half }, (_, i) => theta ** ((-2 * i) / headWidth));
  const [cos, sin] = [new Float32Array(positions.length * headWidth), new Float32Array(positions.length * headWidth)];
  positions.forEach((position, index) => {
    for (let i = 0, first = index * headWidth; i < half; i++) {
      const angle = position * frequencies[i]!;
      cos[first + i] = cos[first + half + i] = Math.cos(angle);
      sin[first + half + i] = Math.sin(angle);
      sin[first + i] = -sin[first + half + i]!;
    }
  });
  const table = (values: Float32Array): Tensor => tf.tensor4d(values, [rows, 1, positions.length / rows, headWidth]);
  return { cos: table(cos), sin: table(sin) };
}

/** Turns heads `[rows, heads, rowLength, headWidth]` by their positions' angles. */
export function rotate({ tf }: Engine, kernels: Kernels, { cos, sin }: RotaryTables, x: Tensor): Tensor {
  return tf.add(tf.mul(x, cos), tf.mul(kernels.swapHalves(x), sin));
}

/** The gradient of `rotate`: it turns back. */
export function rotateBack({ tf }: Engine, kernels: Kernels, { cos, sin }: RotaryTables, dy: Tensor): Tensor {
  return tf.sub(tf.mul(dy, cos), tf.mul(kernels.swapHalves(dy), sin));
}
