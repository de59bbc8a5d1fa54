import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyFloats } from '../reference/arbitrary-floats.ts';
import { bitsOf, randomFloats } from '../reference/random-floats.ts';
import { scalarKernels } from '../reference/scalar-kernels.ts';
import { createKernels } from './kernels.ts';
import type { Vector } from './vector.ts';

const kernels = createKernels();
/** Every remainder of a loop's turn, and blocks that are whole, short by one and long by one. */
const LENGTHS = [...Array.from({ length: 67 }, (_, length) => length), 1000, 4095, 4096, 4097, 9001];
const ADAM = { stepSize: 1.7e-3, epsilon: 1e-8, beta1: 0.9, beta2: 0.999, l2: 0.01, shrink: 0.9999 };
const RMSPROP = { learningRate: 0.01, alpha: 0.99, epsilon: 1e-8, l2: 0.01 };

type Vectors = [Vector, Vector, Vector, Vector];
type Arrays = [Float32Array, Float32Array, Float32Array, Float32Array];
interface Case {
  readonly name: string;
  readonly kernel: (...vectors: Vectors) => void;
  readonly scalar: (...arrays: Arrays) => void;
}

const { learningRate, alpha, epsilon, l2 } = RMSPROP;
const momentum = (nesterov: boolean): Case => ({
  name: nesterov ? 'Nesterov' : 'momentum',
  kernel: (p, g, u) => kernels.stepMomentum(p, g, u, { learningRate: 0.05, l2: 0.1, momentum: 0.9, nesterov }),
  scalar: (p, g, u) => scalarKernels.momentum(p, g, u, 0.05, 0.1, 0.9, nesterov),
});
const CASES: readonly Case[] = [
  { name: 'add', kernel: (a, b) => kernels.add(a, b), scalar: (a, b) => scalarKernels.add(a, b) },
  { name: 'copy', kernel: (a, b) => kernels.copy(a, b), scalar: (a, b) => a.set(b) },
  { name: 'divide', kernel: (a) => kernels.divide(a, 257), scalar: (a) => scalarKernels.divide(a, 257) },
  { name: 'scale', kernel: (a) => kernels.scale(a, 0.1), scalar: (a) => scalarKernels.scale(a, 0.1) },
  { name: 'clipByValue', kernel: (a) => kernels.clipByValue(a, 0.3), scalar: (a) => scalarKernels.clipByValue(a, 0.3) },
  {
    name: 'SGD',
    kernel: (p, g) => kernels.stepSgd(p, g, { learningRate: 0.05, l2: 0.1 }),
    scalar: (p, g) => scalarKernels.sgd(p, g, 0.05, 0.1),
  },
  momentum(false),
  momentum(true),
  {
    name: 'Adam',
    kernel: (p, g, m, v) => kernels.stepAdam(p, g, m, v, ADAM),
    scalar: (p, g, m, v) => scalarKernels.adam(p, g, m, v, ADAM),
  },
  {
    name: 'RMSprop',
    kernel: (p, g, s) => kernels.stepRmsprop(p, g, s, RMSPROP),
    scalar: (p, g, s) => scalarKernels.rmsprop(p, g, s, null, learningRate, alpha, epsilon, l2, 0),
  },
  {
    name: 'RMSprop with momentum',
    kernel: (p, g, s, u) => kernels.stepRmspropMomentum(p, g, s, u, { ...RMSPROP, momentum: 0.9 }),
    scalar: (p, g, s, u) => scalarKernels.rmsprop(p, g, s, u, learningRate, alpha, epsilon, l2, 0.9),
  },
];

/** Operands that begin anywhere, with infinities and NaNs among them. */
const unaligned = fc.nat(70).chain((length) => fc.record({
  arrays: fc.tuple(anyFloats(length), anyFloats(length), anyFloats(length), anyFloats(length)),
  offsets: fc.array(fc.nat(5), { minLength: 4, maxLength: 4 }),
}));

/** Four operands; the fourth is never negative, nor is the third where it stands for squares: roots stay numbers. */
function operands(length: number): Arrays {
  const square = (values: Float32Array) => values.map(Math.abs);
  return [randomFloats(length, 1), randomFloats(length, 2), square(randomFloats(length, 3)), square(randomFloats(length, 4))];
}

function vectorOf(values: Float32Array): Vector {
  const vector = kernels.allocate(values.length);
  vector.data.set(values);
  return vector;
}

function withVectors(arrays: Arrays, use: (vectors: Vectors) => void): void {
  const vectors = arrays.map(vectorOf) as Vectors;
  use(vectors);
  vectors.forEach((vector) => kernels.release(vector));
}

describe.each(CASES)('$name', ({ kernel, scalar }) => {
  it('gives the bits of the scalar formulas at every length', () => {
    for (const length of LENGTHS) {
      const expected = operands(length);
      withVectors(operands(length), (vectors) => {
        kernel(...vectors);
        scalar(...expected);
        vectors.forEach((vector, index) => expect(bitsOf(vector.data), `length ${length}`).toEqual(bitsOf(expected[index] as Float32Array)));
      });
    }
  });

  it('gives the bits of the scalar formulas for any numbers, lengths and offsets', () => {
    fc.assert(fc.property(unaligned, ({ arrays, offsets }) => {
      const expected = arrays.map((values) => values.slice()) as Arrays;
      const whole = arrays.map((values, index) => kernels.allocate(values.length + (offsets[index] ?? 0)));
      const vectors = whole.map((vector, index) => kernels.slice(vector, offsets[index] ?? 0, vector.length)) as Vectors;
      vectors.forEach((vector, index) => vector.data.set(arrays[index] ?? []));
      kernel(...vectors);
      scalar(...expected);
      vectors.forEach((vector, index) => expect(bitsOf(vector.data)).toEqual(bitsOf(expected[index] ?? new Float32Array(0))));
      for (const vector of whole) kernels.release(vector);
    }));
  });

  it('gives the same bits wherever the vector is cut', () => {
    const length = 203;
    const whole = operands(length);
    scalar(...whole);
    for (let cut = 0; cut <= length; cut++) {
      withVectors(operands(length), (vectors) => {
        for (const [from, to] of [[cut, length], [0, cut]] as const) {
          kernel(...(vectors.map((vector) => kernels.slice(vector, from, to)) as Vectors));
        }
        vectors.forEach((vector, index) => expect(bitsOf(vector.data), `cut at ${cut}`).toEqual(bitsOf(whole[index] as Float32Array)));
      });
    }
  });
});

describe('sumsOfSquares', () => {
  it('adds each block in the documented order', () => {
    for (const length of LENGTHS) {
      const values = randomFloats(length, 5);
      const vector = vectorOf(values);
      const expected = Array.from({ length: Math.ceil(length / 1000) }, (_, block) =>
        scalarKernels.sumOfSquares(values.subarray(block * 1000, (block + 1) * 1000)));
      expect(Array.from(kernels.sumsOfSquares(vector, 1000))).toEqual(expected);
      kernels.release(vector);
    }
  });

  it('has the sum of any numbers', () => {
    fc.assert(fc.property(fc.nat(70).chain(anyFloats), (values) => {
      expect(Array.from(kernels.sumsOfSquares(vectorOf(values), 70))).toEqual(values.length === 0 ? [] : [scalarKernels.sumOfSquares(values)]);
    }));
  });

  it('gives a shard that starts at a block the sums that the whole vector has there', () => {
    const vector = vectorOf(randomFloats(20_000, 6));
    const whole = kernels.sumsOfSquares(vector);
    expect(whole).toHaveLength(5);
    expect(kernels.sumsOfSquares(kernels.slice(vector, 8192, 20_000))).toEqual(whole.slice(2));
  });

  it('does not overflow where float32 would', () => {
    expect(kernels.sumsOfSquares(vectorOf(new Float32Array(100).fill(1e30)))[0]).toBeCloseTo(1e62, -56);
  });
});

describe('scan', () => {
  it.each(LENGTHS)('has the digest of the formula for %i elements', (length) => {
    const values = randomFloats(length, 9);
    expect(kernels.scan(vectorOf(values)).digest).toBe(scalarKernels.digest(values));
  });

  it('has another digest after any one bit is flipped', () => {
    const vector = vectorOf(randomFloats(83, 3));
    const words = new Int32Array(vector.data.buffer, vector.byteOffset, vector.length);
    const digests = new Set([kernels.scan(vector).digest]);
    for (let at = 0; at < words.length; at += 1) {
      for (let bit = 0; bit < 32; bit += 1) {
        words[at]! ^= 1 << bit;
        digests.add(kernels.scan(vector).digest);
        words[at]! ^= 1 << bit;
      }
    }
    expect(digests.size).toBe(1 + 83 * 32);
  });

  it('has the digest and the first of no number that the formulas have, for any numbers', () => {
    fc.assert(fc.property(fc.nat(70).chain(anyFloats), (values) => {
      const firstNonFinite = values.findIndex((value) => !Number.isFinite(value));
      expect(kernels.scan(vectorOf(values))).toEqual({ firstNonFinite, digest: scalarKernels.digest(values) });
    }));
  });

  it('has the digest 0 for zeros', () => {
    expect(kernels.scan(vectorOf(new Float32Array(83)))).toEqual({ firstNonFinite: -1, digest: 0 });
  });

  it.each([0, 1, 31, 4095, 4096, 12_287, 12_288, 12_299])('finds an infinity or a NaN at %i', (index) => {
    const vector = vectorOf(randomFloats(12_300, 7));
    expect(kernels.scan(vector).firstNonFinite).toBe(-1);
    for (const value of [Number.NaN, Infinity, -Infinity]) {
      vector.data[index] = value;
      vector.data[12_299] = Number.NaN;
      expect(kernels.scan(vector)).toEqual({ firstNonFinite: index, digest: scalarKernels.digest(vector.data) });
    }
  });

  it('takes the largest finite numbers for finite', () => {
    const largest = 3.4028234663852886e38;
    expect(kernels.scan(vectorOf(new Float32Array(5000).fill(largest))).firstNonFinite).toBe(-1);
    expect(kernels.scan(vectorOf(new Float32Array(5000).fill(-largest))).firstNonFinite).toBe(-1);
  });
});

it('keeps a NaN in clipByValue, so that it is not hidden', () => {
  const vector = vectorOf(new Float32Array(9).fill(Number.NaN));
  kernels.clipByValue(vector, 1);
  expect(Array.from(vector.data)).toEqual(Array.from({ length: 9 }, () => Number.NaN));
});
