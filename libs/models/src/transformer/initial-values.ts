import { deriveSeed, uniformStream, type StoredTensor } from '@lockstep/core';
import { alignedFloats } from './aligned-floats.ts';

/** The spread of GPT-2's initial weights (Radford et al. 2019). */
const DEVIATION = 0.02;

/**
 * The initial values of a tensor as GPT-2 has them: normal with deviation 0.02, in projections onto the residual stream divided by `sqrt(2 * depth)`;
 * norms 1, biases 0. Of adapters as PEFT has them: A Kaiming-uniform with `a = sqrt(5)`, B zero. A pure function of its arguments, in 64-bit.
 */
export function initialValues({ name, shape }: StoredTensor, index: number, depth: number, seed: number): Float32Array {
  const values = alignedFloats(shape.reduce((product, size) => product * size, 1));
  if (name.endsWith('.bias') || name.endsWith('.lora_B.weight')) return values;
  if (/norm\.weight$/.test(name)) return values.fill(1);
  const uniform = uniformStream(deriveSeed(seed, 'initialization', index));
  if (name.endsWith('.lora_A.weight')) return fillUniform(values, 1 / Math.sqrt(shape[1]!), uniform);
  return fillNormal(values, /\.(o|down)_proj\.weight$/.test(name) ? DEVIATION / Math.sqrt(2 * depth) : DEVIATION, uniform);
}

/** Between `-bound` and `bound`. */
function fillUniform(values: Float32Array, bound: number, uniform: () => number): Float32Array {
  for (let i = 0; i < values.length; i++) values[i] = (2 * uniform() - 1) * bound;
  return values;
}

/** By Marsaglia's polar method (1964), which needs no trigonometry. */
function fillNormal(values: Float32Array, deviation: number, uniform: () => number): Float32Array {
  for (let i = 0; i < values.length; i += 2) {
    let [x, y, squared] = [0, 0, 0];
    do {
      x = 2 * uniform() - 1;
      y = 2 * uniform() - 1;
      squared = x * x + y * y;
    } while (squared >= 1 || squared === 0);
    const factor = deviation * Math.sqrt((-2 * Math.log(squared)) / squared);
    values[i] = x * factor;
    if (i + 1 < values.length) values[i + 1] = y * factor;
  }
  return values;
}
