import { describe, expect, it } from 'vitest';
import { wireSchema } from '@lockstep/core';
import { beginsWindow, groupLevel, isCompressed, nextWindow, wireOfStep } from './feedback-windows.ts';

const plan = { wire: wireSchema.parse({ kind: 'topK', denseEvery: 4 }), stepsPerEpoch: 10 };
const steps = Array.from({ length: 21 }, (_, step) => step);

describe('of compressed gradients', () => {
  it('a window begins at each multiple of denseEvery and with each epoch, and the step before goes whole', () => {
    const begins = steps.filter((step) => beginsWindow(plan, step));
    expect(begins).toEqual([0, 4, 8, 10, 12, 16, 20]);
    expect(steps.filter((step) => wireOfStep(plan, step) === 'float32')).toEqual([3, 7, 9, 11, 15, 19]);
  });

  it('the next window is the first that begins at the step or after it', () => {
    for (const step of steps.slice(0, -1)) expect(nextWindow(plan, step)).toBe(steps.find((at) => at >= step && beginsWindow(plan, at)));
  });

  it.each([[8, null, 0], [64, null, 3], [64, 64, 0], [64, 1, 6], [4, null, 0]])('of %i micro-batches in %s groups, a group is a node of level %i', (microBatches, groups, level) => {
    const wire = wireSchema.parse({ kind: 'powerSgd', groups });
    expect(isCompressed(wire) && groupLevel(wire, microBatches)).toBe(level);
  });
});

it.each(['float32', 'bf16', 'int8'] as const)('with %s nothing is held back at any step', (wire) => {
  const rounded = { wire, stepsPerEpoch: 10 };
  expect(steps.every((step) => beginsWindow(rounded, step) && nextWindow(rounded, step) === step && wireOfStep(rounded, step) === wire)).toBe(true);
});
