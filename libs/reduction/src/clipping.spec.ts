import { describe, expect, it } from 'vitest';
import reference from '../reference/optimizers.json' with { type: 'json' };
import { clippingFactor, NORM_BLOCK } from './clipping.ts';
import { createKernels } from './kernels.ts';

const kernels = createKernels();
const [gradient = []] = reference.gradients;

function gradientVector() {
  const vector = kernels.allocate(gradient.length);
  vector.data.set(gradient);
  return vector;
}

describe.each(reference.clipping)('clipping to $limit', ({ limit, byNorm, byValue }) => {
  it('by global norm is that of PyTorch', () => {
    const vector = gradientVector();
    kernels.scale(vector, clippingFactor(kernels.sumsOfSquares(vector), limit));
    byNorm.forEach((value, index) => expect(vector.data[index]).toBeCloseTo(value, 6));
  });

  it('by value is that of PyTorch', () => {
    const vector = gradientVector();
    kernels.clipByValue(vector, limit);
    expect(Array.from(vector.data)).toEqual(byValue.map(Math.fround));
  });
});

describe('the clipping factor', () => {
  it('is the same for any cut into shards at block boundaries', () => {
    const vector = kernels.allocate(5 * NORM_BLOCK + 3);
    vector.data.forEach((_, index) => (vector.data[index] = Math.sin(index)));
    const whole = clippingFactor(kernels.sumsOfSquares(vector), 1);
    for (let blocks = 1; blocks <= 5; blocks++) {
      const [left, right] = [kernels.slice(vector, 0, blocks * NORM_BLOCK), kernels.slice(vector, blocks * NORM_BLOCK, vector.length)];
      const sums = Float64Array.of(...kernels.sumsOfSquares(left), ...kernels.sumsOfSquares(right));
      expect(clippingFactor(sums, 1)).toBe(whole);
    }
  });

  it('never enlarges, and shows a gradient that is not finite', () => {
    expect(clippingFactor(Float64Array.of(0), 1)).toBe(1);
    expect(clippingFactor(Float64Array.of(1, Number.NaN), 1)).toBeNaN();
  });
});
