import { numericsSchema, uniformStream } from '@lockstep/core';
import type { Tensor } from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from './engine.ts';
import { javaScriptKernels } from './javascript-kernels.ts';
import { createKernels, type Kernels } from './kernels.ts';
import { openLocalEngine } from './local-engine.ts';

let engine: Engine;
let native: Kernels;
beforeAll(async () => {
  engine = await openLocalEngine(numericsSchema.parse({}));
  native = createKernels(engine);
});

function random(shape: readonly number[], seed: number): Tensor {
  const uniform = uniformStream(seed);
  return engine.tf.tensor(Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => 2 * uniform() - 1), [...shape]);
}

type Compute = (kernels: Omit<Kernels, 'uniform'>) => Tensor;

describe("TensorFlow's own ops", () => {
  it.each<[string, Compute]>([
    ['a product', (kernels) => kernels.matMul(random([5, 7], 1), random([7, 3], 2), false, false)],
    ['a product with the left transposed', (kernels) => kernels.matMul(random([7, 5], 1), random([7, 3], 2), true, false)],
    ['a product with the right transposed', (kernels) => kernels.matMul(random([5, 7], 1), random([3, 7], 2), false, true)],
    ['a product with both transposed', (kernels) => kernels.matMul(random([7, 5], 1), random([3, 7], 2), true, true)],
    ['softmax', (kernels) => kernels.softmax(random([2, 3, 5], 1))],
    ["the sigmoid's gradient", (kernels) => kernels.sigmoidGradient(random([3, 5], 1), random([3, 5], 2))],
    ["tanh's gradient", (kernels) => kernels.tanhGradient(random([3, 5], 1), random([3, 5], 2))],
    ['swapped halves', (kernels) => kernels.swapHalves(random([2, 3, 6], 1))],
  ])("give for %s what TensorFlow.js's ops give", (_, compute) => {
    const [ours, theirs] = [native, javaScriptKernels(engine.tf)].map((kernels) => compute(kernels));
    expect(ours!.shape).toEqual(theirs!.shape);
    const expected = theirs!.dataSync();
    ours!.dataSync().forEach((value, index) => expect(value).toBeCloseTo(expected[index]!, 6));
  });
});
