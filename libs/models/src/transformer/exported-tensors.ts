import type { StoredTensor } from '@lockstep/core';
import type { StageContext } from './stage.ts';
import { adapterNames, isAdapter } from './tensor-names.ts';

/** A tensor of a model, its values computed and copied when they are asked for. */
export interface ExportedTensor extends StoredTensor {
  values(): Float32Array;
}

export function adapterTensors({ weights }: StageContext): ExportedTensor[] {
  return weights.specs.filter(({ name }) => isAdapter(name)).map(({ name, shape }) => ({ name, shape, values: () => weights.get(name).dataSync() as Float32Array }));
}

/** All tensors but the adapters, which are added to the weights that they belong to: `W + alpha / rank * B A`. */
export function mergedTensors(context: StageContext): ExportedTensor[] {
  return context.weights.specs.filter(({ name }) => !isAdapter(name)).map(({ name, shape }) => ({ name, shape, values: () => mergedValues(context, name) }));
}

function mergedValues({ engine: { tf }, kernels, weights, lora }: StageContext, name: string): Float32Array {
  const [a, b] = adapterNames(name.replace(/\.weight$/, ''));
  if (lora === null || !weights.has(a)) return weights.get(name).dataSync() as Float32Array;
  const merged = tf.tidy(() => tf.add(weights.get(name), tf.mul(kernels.matMul(weights.get(b), weights.get(a), false, false), lora.alpha / lora.rank)));
  const values = merged.dataSync() as Float32Array;
  merged.dispose();
  return values;
}
