import type { StepEvent } from '@lockstep/core';
import { expect, it } from 'vitest';
import { measureCheckpointing } from './checkpoint-cost.ts';

/** Steps of 10 ms on a machine that gets slower; a checkpoint after every 100th takes `costMs` more in the step after it. */
function stepsOf(count: number, costMs: number): StepEvent[] {
  let elapsedMs = 0;
  return Array.from({ length: count }, (_, step) => {
    elapsedMs += 10 + step / 20_000 + (step % 100 === 0 ? costMs : 0);
    return { event: 'step', step, epoch: 0, loss: 1, accuracy: 0, learningRate: 1e-3, numExamples: 256, elapsedSeconds: elapsedMs / 1000, examplesPerSecond: 0, workers: [] };
  });
}

it('is what the 50 steps after a checkpoint take longer than the 50 after those', () => {
  const { examplesPerSecond, withoutCheckpoints } = measureCheckpointing(stepsOf(1000, 10));
  expect(examplesPerSecond / withoutCheckpoints!).toBeCloseTo(50 / 51, 2);
  expect(withoutCheckpoints).toBeCloseTo(25_536, -3);
});

it('is nothing where a checkpoint costs nothing', () => {
  const { examplesPerSecond, withoutCheckpoints } = measureCheckpointing(stepsOf(1000, 0));
  expect(examplesPerSecond / withoutCheckpoints!).toBeCloseTo(1, 2);
});

it('needs the steps from one checkpoint to the next', () => {
  expect(() => measureCheckpointing(stepsOf(199, 0))).toThrow('199 steps are too few');
});
