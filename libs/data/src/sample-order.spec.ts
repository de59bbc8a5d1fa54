import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSampleOrder } from './sample-order.ts';

function orderOf(seed: number, epoch: number, numExamples: number): number[] {
  const order = createSampleOrder(seed, numExamples);
  return Array.from({ length: numExamples }, (_, position) => order.sampleAt(epoch, position));
}

describe('the sample order', () => {
  it('visits every sample once, for any number of samples', () => {
    for (let numExamples = 1; numExamples <= 130; numExamples += 1) {
      expect(orderOf(42, 3, numExamples).sort((a, b) => a - b)).toEqual(Array.from({ length: numExamples }, (_, index) => index));
    }
    fc.assert(fc.property(fc.integer({ min: 1, max: 5000 }), fc.nat(), fc.nat(1000), (numExamples, seed, epoch) => {
      expect(new Set(orderOf(seed, epoch, numExamples)).size).toBe(numExamples);
    }), { seed: 11, numRuns: 40 });
    expect(new Set(orderOf(42, 0, 60_000)).size).toBe(60_000);
  });

  it('gives any position by itself, whatever was asked before', () => {
    const whole = orderOf(5, 2, 1000);
    const order = createSampleOrder(5, 1000);
    order.sampleAt(7, 999);
    expect(order.sampleAt(2, 637)).toBe(whole[637]);
    order.sampleAt(0, 1);
    expect(order.sampleAt(2, 0)).toBe(whole[0]);
  });

  it('depends on the seed and on the epoch', () => {
    const first = orderOf(1, 0, 500);
    expect(orderOf(1, 0, 500)).toEqual(first);
    for (const other of [orderOf(2, 0, 500), orderOf(1, 1, 500)]) {
      const agreeing = other.filter((sample, position) => sample === first[position]).length;
      expect(agreeing).toBeLessThan(10);
    }
  });

  it.each([5, 10, 50])('puts each of %i samples at each position equally often', (numExamples) => {
    const epochs = 400 * numExamples;
    const counts = new Float64Array(numExamples * numExamples);
    const order = createSampleOrder(9, numExamples);
    for (let epoch = 0; epoch < epochs; epoch += 1) {
      for (let position = 0; position < numExamples; position += 1) counts[position * numExamples + order.sampleAt(epoch, position)]! += 1;
    }
    const chiSquare = counts.reduce((sum, count) => sum + (count - 400) ** 2 / 400, 0);
    const freedom = (numExamples - 1) ** 2;
    expect(Math.abs(chiSquare - freedom)).toBeLessThan(5 * Math.sqrt(2 * freedom));
  });

  it('leaves no trace of the stored order between neighbours', () => {
    const order = orderOf(42, 0, 60_000);
    const mean = 59_999 / 2;
    let covariance = 0;
    for (let position = 1; position < order.length; position += 1) covariance += (order[position]! - mean) * (order[position - 1]! - mean);
    const variance = (60_000 ** 2 - 1) / 12;
    expect(Math.abs(covariance / 59_999 / variance)).toBeLessThan(0.02);
  });

  it('reaches far beyond what an array holds', () => {
    const order = createSampleOrder(1, 2 ** 52);
    const samples = Array.from({ length: 1000 }, (_, position) => order.sampleAt(0, 2 ** 51 + position));
    expect(new Set(samples).size).toBe(1000);
    expect(samples.every((sample) => Number.isSafeInteger(sample) && sample >= 0 && sample < 2 ** 52)).toBe(true);
    expect(Math.max(...samples)).toBeGreaterThan(2 ** 51);
  });

  it('is fixed: a run resumed by a later version visits the same samples', () => {
    expect(orderOf(42, 0, 60_000).slice(0, 6)).toMatchInlineSnapshot(`
      [
        28416,
        5050,
        57085,
        51941,
        23803,
        49523,
      ]
    `);
    expect(orderOf(42, 1, 10)).toMatchInlineSnapshot(`
      [
        8,
        2,
        3,
        5,
        1,
        4,
        0,
        6,
        9,
        7,
      ]
    `);
  });

  it('refuses positions and sizes that do not exist', () => {
    expect(() => createSampleOrder(1, 10).sampleAt(0, 10)).toThrow(RangeError);
    expect(() => createSampleOrder(1, 10).sampleAt(0, -1)).toThrow(RangeError);
    expect(() => createSampleOrder(1, 0)).toThrow(RangeError);
  });
});
