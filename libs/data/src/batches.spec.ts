import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { globalBatchOf, microBatchRange, stepsPerEpoch } from './batches.ts';

const sizes = [fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 1, max: 300 })] as const;

describe('global batches', () => {
  it('tile each epoch', () => {
    fc.assert(fc.property(...sizes, fc.nat(5), (numExamples, batchSize, epoch) => {
      const steps = stepsPerEpoch(numExamples, batchSize);
      let next = 0;
      for (let step = epoch * steps; step < (epoch + 1) * steps; step += 1) {
        const batch = globalBatchOf(step, numExamples, batchSize);
        expect(batch).toMatchObject({ epoch, firstPosition: next });
        expect(batch.numExamples).toBeGreaterThan(0);
        next += batch.numExamples;
      }
      expect(next).toBe(numExamples);
    }), { seed: 1, numRuns: 40 });
  });

  it('are smaller only at the end of an epoch', () => {
    expect(stepsPerEpoch(60_000, 256)).toBe(235);
    expect(globalBatchOf(233, 60_000, 256)).toEqual({ epoch: 0, firstPosition: 59_648, numExamples: 256 });
    expect(globalBatchOf(234, 60_000, 256)).toEqual({ epoch: 0, firstPosition: 59_904, numExamples: 96 });
    expect(globalBatchOf(235, 60_000, 256)).toEqual({ epoch: 1, firstPosition: 0, numExamples: 256 });
  });
});

describe('micro-batches', () => {
  it('tile their global batch and differ by one sample at most', () => {
    fc.assert(fc.property(...sizes, fc.integer({ min: 0, max: 7 }), fc.nat(50), (numExamples, batchSize, level, step) => {
      const batch = globalBatchOf(step, numExamples, batchSize);
      const microBatches = 2 ** level;
      let next = batch.firstPosition;
      for (let microBatch = 0; microBatch < microBatches; microBatch += 1) {
        const { from, to } = microBatchRange(batch, microBatches, microBatch);
        expect(from).toBe(next);
        expect([Math.floor(batch.numExamples / microBatches), Math.ceil(batch.numExamples / microBatches)]).toContain(to - from);
        next = to;
      }
      expect(next).toBe(batch.firstPosition + batch.numExamples);
    }), { seed: 2, numRuns: 30 });
  });
});
