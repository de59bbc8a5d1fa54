import type { StepEvent } from '@lockstep/core';
import { describe, expect, it } from 'vitest';
import { measureSteps } from './lockstep-run.ts';

function stepEvent(step: number, elapsedSeconds: number, computeMs: readonly number[]): StepEvent {
  return {
    event: 'step', step, epoch: 0, loss: 1, accuracy: 0, learningRate: 1e-3, numExamples: 256, elapsedSeconds, examplesPerSecond: 0,
    workers: computeMs.map((ms, rank) => ({ rank, microBatches: 1, computeMs: ms })),
  };
}

describe('measureSteps', () => {
  it('counts the images and the time from the end of the first step to that of the last', () => {
    const steps = [stepEvent(0, 5, [4]), stepEvent(1, 5.5, [4]), stepEvent(2, 6, [4])];
    expect(measureSteps(steps).examplesPerSecond).toBe(512);
  });

  it('leaves the slowest worker of each step out of the time outside the gradient', () => {
    const steps = [stepEvent(0, 1, [100, 100]), stepEvent(1, 1.25, [50, 200]), stepEvent(2, 1.5, [150, 30])];
    expect(measureSteps(steps).steps).toEqual({ stepMs: 250, outsideMs: 75 });
  });

  it('refuses steps that are too few to be timed', () => {
    expect(() => measureSteps([stepEvent(0, 1, [1])])).toThrow('1 steps are too few');
  });
});
