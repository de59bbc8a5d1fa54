import { optimizerSchema } from '@lockstep/core';
import { describe, expect, it } from 'vitest';
import { bitsOf } from '../../reference/random-floats.ts';
import reference from '../../reference/optimizers.json' with { type: 'json' };
import { createKernels } from '../kernels.ts';
import type { Vector } from '../vector.ts';
import { createOptimizer } from './create-optimizer.ts';
import { integerPower } from './integer-power.ts';

const kernels = createKernels();
/** Of the value and of 1: a few roundings of float32 over five steps. */
const TOLERANCE = 1e-6;

function vectorOf(values: readonly number[]): Vector {
  const vector = kernels.allocate(values.length);
  vector.data.set(values);
  return vector;
}

function expectClose(actual: Float32Array, expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length);
  expected.forEach((value, index) => {
    const error = Math.abs((actual[index] ?? Number.NaN) - value);
    expect(error, `element ${index}: ${String(actual[index])} instead of ${value}`).toBeLessThanOrEqual(TOLERANCE * Math.max(1, Math.abs(value)));
  });
}

describe.each(reference.optimizers)('$name', ({ config, learningRate, parametersAfter, slotsAtEnd }) => {
  const parsed = optimizerSchema.parse(config);

  it('takes the five steps that PyTorch takes', () => {
    const parameters = vectorOf(reference.initial);
    const optimizer = createOptimizer(parsed, kernels, parameters.length);
    reference.gradients.forEach((gradient, step) => {
      optimizer.step(parameters, vectorOf(gradient), learningRate, step + 1);
      expectClose(parameters.data, parametersAfter[step] ?? []);
    });
    const expectedSlots: Record<string, readonly number[]> = slotsAtEnd;
    expect(optimizer.slots.map(({ name }) => name).sort()).toEqual(Object.keys(expectedSlots).sort());
    for (const { name, vector } of optimizer.slots) expectClose(vector.data, expectedSlots[name] ?? []);
  });

  it('gives the same bits for any cut into shards', () => {
    const whole = steppedBits([0, reference.initial.length]);
    for (let cut = 1; cut < reference.initial.length; cut++) expect(steppedBits([0, cut, reference.initial.length])).toEqual(whole);
  });

  it('goes on with the same bits from saved slots', () => {
    const uninterrupted = vectorOf(reference.initial);
    const first = createOptimizer(parsed, kernels, uninterrupted.length);
    const stepAll = (optimizer: typeof first, parameters: Vector, from: number, to: number) =>
      reference.gradients.slice(from, to).forEach((gradient, index) => optimizer.step(parameters, vectorOf(gradient), learningRate, from + index + 1));
    stepAll(first, uninterrupted, 0, 3);
    const resumed = vectorOf(Array.from(uninterrupted.data));
    const second = createOptimizer(parsed, kernels, resumed.length);
    second.slots.forEach(({ vector }, index) => vector.data.set(first.slots[index]?.vector.data ?? []));
    stepAll(first, uninterrupted, 3, 5);
    stepAll(second, resumed, 3, 5);
    expect(bitsOf(resumed.data)).toEqual(bitsOf(uninterrupted.data));
  });

  function steppedBits(cuts: readonly number[]): Uint32Array {
    const parameters = vectorOf(reference.initial);
    for (const [index, from] of cuts.slice(0, -1).entries()) {
      const to = cuts[index + 1] ?? 0;
      const optimizer = createOptimizer(parsed, kernels, to - from);
      reference.gradients.forEach((gradient, step) => {
        optimizer.step(kernels.slice(parameters, from, to), kernels.slice(vectorOf(gradient), from, to), learningRate, step + 1);
      });
    }
    return bitsOf(parameters.data);
  }
});

describe('integerPower', () => {
  it('is the power', () => {
    for (const exponent of [0, 1, 2, 3, 10, 1000, 123_456]) {
      expect(integerPower(0.999, exponent)).toBeCloseTo(0.999 ** exponent, 12);
    }
  });
});
