import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bitsOf, randomFloats } from '../reference/random-floats.ts';
import { scalarDecode, scalarPowerSgd, scalarTake, scalarTopK, type ScalarCompressor } from '../reference/scalar-compressors.ts';
import { NORM_BLOCK } from './clipping.ts';
import { compressedBytes, type Compression, type Compressor } from './compressor.ts';
import { createKernels } from './kernels.ts';
import { sliceBytes } from './vector.ts';

const kernels = createKernels();
const LENGTHS = [0, 1, NORM_BLOCK - 1, NORM_BLOCK, NORM_BLOCK + 1, 3 * NORM_BLOCK + 17];
/** Where vector, state and bytes start: elements past a multiple of 64 bytes. */
type Offsets = readonly [number, number, number];
const offsets = fc.tuple(fc.nat(5), fc.nat(5), fc.nat(5));

interface Taken {
  readonly bytes: Uint8Array;
  readonly decoded: Float32Array;
  /** What stays behind. */
  readonly rest: Float32Array;
  readonly state: Float32Array;
}

/** What `take` and `decode` make of the values in kernel memory, from this state or the one that a compressor begins with. */
function take(compressor: Compressor, values: Float32Array, before?: Float32Array, [a, b, c]: Offsets = [0, 0, 0]): Taken {
  const wholes = [kernels.allocate(a + values.length), kernels.allocate(b + compressor.stateLength(values.length))] as const;
  const vector = kernels.slice(wholes[0], a, wholes[0].length);
  const state = kernels.slice(wholes[1], b, wholes[1].length);
  const room = kernels.allocateBytes(c + compressor.bytesFor(values.length) + 1);
  const out = sliceBytes(room, c, room.length - 1);
  room.data.fill(0xa5);
  vector.data.set(values);
  compressor.resetState(state);
  if (before) state.data.set(before);
  compressor.take(vector, state, out);
  expect(room.data.at(-1), 'the byte after the encoded').toBe(0xa5);
  const taken = { bytes: out.data.slice(), rest: vector.data.slice(), state: state.data.slice() };
  compressor.decode(out, vector);
  const decoded = vector.data.slice();
  for (const whole of wholes) kernels.release(whole);
  kernels.releaseBytes(room);
  return { ...taken, decoded };
}

/** Few magnitudes, so that many are equal. */
const withTies = (values: Float32Array): Float32Array => values.map((value) => Math.round(value * 4));
const sumOf = (left: Float32Array, right: Float32Array): Float32Array => left.map((value, at) => value + (right[at] ?? Number.NaN));
const normOf = (values: Float32Array): number => Math.hypot(...values);
const ordinaryFloats = (length: number, seed: number): Float32Array => randomFloats(length, seed).map((value) => Math.max(-1, Math.min(1, value)));

/** With the steps by which a constant gradient may lag behind: the inverse of the share that travels. */
const compressions: readonly [name: string, Compression, ScalarCompressor, number][] = [
  ['topK of one', { kind: 'topK', ratio: 1e-9 }, scalarTopK(1), 4096],
  ['topK of 41', { kind: 'topK', ratio: 0.01 }, scalarTopK(41), 100],
  ['topK of half', { kind: 'topK', ratio: 0.5 }, scalarTopK(2048), 2],
  ['powerSgd of rank 1', { kind: 'powerSgd', rank: 1 }, scalarPowerSgd(1), 64],
  ['powerSgd of rank 3', { kind: 'powerSgd', rank: 3 }, scalarPowerSgd(3), 64 / 3],
];

describe.each(compressions)('%s', (_name, compression, scalar, stepsBehind) => {
  const compressor = kernels.compressor(compression);

  it.each(LENGTHS)('gives the bits of the scalar formulas for %i elements at any offsets, step after step', (length) => {
    fc.assert(fc.property(fc.nat(), fc.boolean(), offsets, (seed, ties, at) => {
      const gradient = ties ? withTies(randomFloats(length, seed)) : randomFloats(length, seed);
      const rest = new Float32Array(length);
      const state = Float32Array.from({ length: compressor.stateLength(length) }, (_, entry) => scalar.initialState[entry % scalar.initialState.length] ?? 0);
      let before: Float32Array | undefined;
      for (let step = 0; step < 2; step++) {
        rest.set(sumOf(rest, gradient));
        const taken = take(compressor, rest, before, at);
        expect(taken.bytes).toEqual(scalarTake(scalar, rest, state));
        expect(bitsOf(taken.rest)).toEqual(bitsOf(rest));
        expect(bitsOf(taken.state)).toEqual(bitsOf(state));
        expect(bitsOf(taken.decoded)).toEqual(bitsOf(scalarDecode(scalar, taken.bytes, length)));
        before = taken.state;
      }
    }), { numRuns: 5 });
  });

  it('gives a piece that starts and ends at blocks the bytes, the rest and the state of the whole', () => {
    const values = randomFloats(3 * NORM_BLOCK + 17, 21);
    const whole = take(compressor, values);
    for (const [from, to] of [[0, NORM_BLOCK], [NORM_BLOCK, 3 * NORM_BLOCK], [2 * NORM_BLOCK, values.length]] as const) {
      const piece = take(compressor, values.subarray(from, to));
      expect(piece.bytes).toEqual(whole.bytes.subarray(compressedBytes(compression, from), compressedBytes(compression, to)));
      expect(piece.rest).toEqual(whole.rest.subarray(from, to));
      expect(piece.state).toEqual(whole.state.subarray(compressor.stateLength(from), compressor.stateLength(to)));
    }
  });

  it('sends all of what comes after the last whole block', () => {
    const values = randomFloats(NORM_BLOCK + 5, 22);
    const { decoded, rest } = take(compressor, values);
    expect(decoded.subarray(NORM_BLOCK)).toEqual(values.subarray(NORM_BLOCK));
    expect(rest.subarray(NORM_BLOCK)).toEqual(new Float32Array(5));
  });

  it('makes zeros of zeros', () => {
    const { decoded, rest } = take(compressor, new Float32Array(NORM_BLOCK));
    expect(rest.every((value) => value === 0) && decoded.every((value) => value === 0)).toBe(true);
  });

  it('keeps infinities and NaNs from passing for numbers, in their block', () => {
    for (const value of [Number.NaN, Infinity, -Infinity]) {
      const values = ordinaryFloats(3 * NORM_BLOCK, 23);
      values[NORM_BLOCK + 1234] = value;
      const isFinite = [0, 1, 2].map((block) => take(compressor, values).decoded.subarray(block * NORM_BLOCK, (block + 1) * NORM_BLOCK).every(Number.isFinite));
      expect(isFinite).toEqual([true, false, true]);
    }
  });

  it('sends a gradient that is the same for many steps, but for a share that does not grow', () => {
    const gradient = ordinaryFloats(NORM_BLOCK, 24);
    const sent = new Float64Array(NORM_BLOCK);
    let rest: Float32Array = new Float32Array(NORM_BLOCK);
    let state: Float32Array | undefined;
    for (let step = 1; step <= 100; step++) {
      const taken = take(compressor, sumOf(rest, gradient), state);
      ({ rest, state } = taken);
      taken.decoded.forEach((value, at) => { sent[at] = (sent[at] ?? 0) + value; });
      expect(normOf(gradient.map((value, at) => step * value - (sent[at] ?? 0)))).toBeLessThan(stepsBehind * normOf(gradient));
    }
  });
});

describe('topK', () => {
  it('takes the largest magnitudes, of equal ones the first, in the order of their indices', () => {
    const values = new Float32Array(NORM_BLOCK).fill(0.5);
    values.set([-3, 2, -2, 2], 1000);
    const { bytes, rest } = take(kernels.compressor({ kind: 'topK', ratio: 3 / NORM_BLOCK }), values);
    expect(Array.from(new Float32Array(bytes.buffer, 0, 3))).toEqual([-3, 2, -2]);
    expect(Array.from(new Uint16Array(bytes.buffer, 12))).toEqual([1000, 1001, 1002]);
    expect(Array.from(rest.subarray(999, 1004))).toEqual([0.5, 0, 0, 0, 2]);
  });

  it('parts a gradient without loss', () => {
    fc.assert(fc.property(fc.nat(), fc.double({ min: 1e-4, max: 0.5, noNaN: true }), (seed, ratio) => {
      const values = randomFloats(2 * NORM_BLOCK + 3, seed);
      const { decoded, rest } = take(kernels.compressor({ kind: 'topK', ratio }), values);
      expect(values.every((value, at) => (decoded[at] === value && rest[at] === 0) || (decoded[at] === 0 && rest[at] === value))).toBe(true);
    }), { numRuns: 20 });
  });

  it('takes zeros too where there is not enough else, down to the least magnitude', () => {
    const values = new Float32Array(NORM_BLOCK);
    values.set([2 ** -149, -0, 1e38], 5);
    const indicesOf = (kept: number): number[] => {
      const { bytes } = take(kernels.compressor({ kind: 'topK', ratio: kept / NORM_BLOCK }), values);
      return Array.from(new Uint16Array(bytes.buffer, 4 * kept));
    };
    expect([1, 2, 4].map(indicesOf)).toEqual([[7], [5, 7], [0, 1, 5, 7]]);
  });

  it('takes NaNs of every kind for larger than all numbers', () => {
    const values = ordinaryFloats(NORM_BLOCK, 25);
    new Uint32Array(values.buffer).set([0x7fffffff, 0xffffffff, 0x7f800001], 50);
    const { rest } = take(kernels.compressor({ kind: 'topK', ratio: 3 / NORM_BLOCK }), values);
    expect(rest).toEqual(values.map((value, at) => (at >= 50 && at < 53 ? 0 : value)));
  });

  it('writes no element of another block, whatever the bytes', () => {
    const compressor = kernels.compressor({ kind: 'topK', ratio: 2 / NORM_BLOCK });
    const bytes = kernels.allocateBytes(compressor.bytesFor(NORM_BLOCK));
    const around = kernels.allocate(3 * NORM_BLOCK);
    for (const [indices, first] of [[[4096, 7], Number.NaN], [[65_535, 0], Number.NaN], [[7, 7], 0]] as const) {
      around.data.fill(5);
      bytes.data.set(new Uint8Array(Float32Array.of(1, 2).buffer));
      bytes.data.set(new Uint8Array(Uint16Array.from(indices).buffer), 8);
      compressor.decode(bytes, kernels.slice(around, NORM_BLOCK, 2 * NORM_BLOCK));
      expect(around.data[NORM_BLOCK]).toBe(first);
      expect(around.data.every((value, at) => value === 5 || (at >= NORM_BLOCK && at < 2 * NORM_BLOCK))).toBe(true);
    }
  });
});

describe('powerSgd', () => {
  /** A matrix whose singular values fall by this factor. */
  const matrixOf = (rank: number, fall: number, seed: number): Float32Array => {
    const factors = ordinaryFloats(128 * rank, seed);
    const entry = (component: number, at: number) => factors[128 * component + at] ?? Number.NaN;
    return Float32Array.from({ length: NORM_BLOCK }, (_, at) => {
      const terms = Array.from({ length: rank }, (_term, component) => fall ** component * entry(component, at >> 6) * entry(component, 64 + (at & 63)));
      return terms.reduce((sum, term) => sum + term);
    });
  };

  it.each([[1, 1, 1], [4, 4, 1], [4, 4, 0.1], [16, 16, 1], [4, 2, 1e-3]])('of rank %i has a matrix of rank %i at the second step, if its values fall by %f', (rank, own, fall) => {
    const compressor = kernels.compressor({ kind: 'powerSgd', rank });
    const matrix = matrixOf(own, fall, 31);
    const { rest } = take(compressor, matrix, take(compressor, matrix).state);
    expect(normOf(rest)).toBeLessThan(1e-5 * normOf(matrix));
  });

  it('never leaves more than there was', () => {
    fc.assert(fc.property(fc.nat(), fc.integer({ min: 1, max: 16 }), fc.integer({ min: 1, max: 20 }), fc.constantFrom(1, 0.5, 0.01), (seed, rank, own, fall) => {
      const compressor = kernels.compressor({ kind: 'powerSgd', rank });
      let state: Float32Array | undefined;
      for (const values of [matrixOf(own, fall, seed), ordinaryFloats(NORM_BLOCK, seed), matrixOf(own, fall, seed + 1)]) {
        const taken = take(compressor, values, state);
        expect(normOf(taken.rest)).toBeLessThan((1 + 1e-5) * normOf(values));
        state = taken.state;
      }
    }), { numRuns: 20 });
  });

  it('has the same digits for a gradient times a power of two', () => {
    const compressor = kernels.compressor({ kind: 'powerSgd', rank: 3 });
    const matrix = matrixOf(8, 0.5, 32);
    const { decoded, state } = take(compressor, matrix);
    for (const factor of [2 ** -80, 2 ** 80]) {
      const scaled = take(compressor, matrix.map((value) => value * factor));
      expect(scaled.decoded).toEqual(decoded.map((value) => value * factor));
      expect(scaled.state).toEqual(state);
    }
  });

  it.each([0, Number.NaN])('begins anew after a block of %d', (value) => {
    const compressor = kernels.compressor({ kind: 'powerSgd', rank: 2 });
    const matrix = ordinaryFloats(NORM_BLOCK, 33);
    const { state } = take(compressor, new Float32Array(NORM_BLOCK).fill(value), take(compressor, matrix).state);
    expect(take(compressor, matrix, state)).toEqual(take(compressor, matrix));
  });
});
