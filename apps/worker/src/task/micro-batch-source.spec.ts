import { describe, expect, it } from 'vitest';
import { runSchema } from '@lockstep/core';
import { createPreparation, stepsPerEpoch } from '@lockstep/data';
import { MicroBatchSource } from './micro-batch-source.ts';
import { syntheticDataset } from '../testing/synthetic-dataset.ts';

const NUM_EXAMPLES = 45;
const config = runSchema.parse({
  globalBatchSize: 20, microBatches: 8, seed: 7,
  data: { augmentation: { shift: 2, rotation: 10 } },
});
const dataset = syntheticDataset(NUM_EXAMPLES);
const STEPS = stepsPerEpoch(NUM_EXAMPLES, config.globalBatchSize);

const source = (): MicroBatchSource => new MicroBatchSource(config, dataset, createPreparation(config.data, dataset.imageShape, { mean: 0, deviation: 1 }));
const seen = ({ inputs, labels, numExamples }: ReturnType<MicroBatchSource['take']>) => ({ inputs: [...inputs], labels: [...labels], numExamples });
const each = <T>(steps: number, take: (step: number, microBatch: number) => T): T[] =>
  Array.from({ length: steps * config.microBatches }, (_, index) => take(Math.floor(index / config.microBatches), index % config.microBatches));

describe('the micro-batches of a step', () => {
  it('are a pure function of step and number, whatever was taken before', () => {
    const forward = source();
    const inOrder = each(2 * STEPS, (step, microBatch) => seen(forward.take(step, microBatch)));
    const backward = source();
    const reversed = each(2 * STEPS, (step, microBatch) => [step, microBatch] as const).reverse().map(([step, microBatch]) => seen(backward.take(step, microBatch))).reverse();
    expect(reversed).toEqual(inOrder);
  });

  it('are the same when they were prepared ahead, and when others were', () => {
    const plain = source();
    const ahead = source();
    each(2 * STEPS, (step, microBatch) => {
      ahead.prepareAhead(step, microBatch);
      const other = (microBatch + 1) % config.microBatches;
      if (microBatch % 3 === 0) expect(seen(ahead.take(step, other))).toEqual(seen(plain.take(step, other)));
      expect(seen(ahead.take(step, microBatch))).toEqual(seen(plain.take(step, microBatch)));
    });
  });

  it('stay as they are while the next one is prepared', () => {
    const micro = source();
    const first = micro.take(0, 0);
    const before = seen(first);
    micro.prepareAhead(0, 1);
    expect(seen(first)).toEqual(before);
  });

  it('have every sample of an epoch once, the last batch being smaller', () => {
    const micro = source();
    const sizes = each(STEPS, (step, microBatch) => micro.take(step, microBatch).numExamples);
    expect(sizes.reduce((a, b) => a + b)).toBe(NUM_EXAMPLES);
    expect(sizes.slice(0, 8).reduce((a, b) => a + b)).toBe(20);
    expect(sizes.slice(16).reduce((a, b) => a + b)).toBe(5);
    expect(Math.min(...sizes.slice(16))).toBe(0);
    const labels = each(STEPS, (step, microBatch) => [...micro.take(step, microBatch).labels]).flat();
    expect(labels.sort((a, b) => a - b)).toEqual([...dataset.labels].sort((a, b) => a - b));
  });

  it('differ from epoch to epoch', () => {
    const micro = source();
    expect(seen(micro.take(0, 0))).not.toEqual(seen(micro.take(STEPS, 0)));
  });
});
