import { scheduleSchema } from '@lockstep/core';
import { describe, expect, it } from 'vitest';
import reference from '../reference/optimizers.json' with { type: 'json' };
import { learningRateAt } from './schedule.ts';

describe('the learning rate', () => {
  it.each(reference.schedules)('follows PyTorch: $name', ({ config, totalSteps, rates }) => {
    const schedule = scheduleSchema.parse(config);
    rates.forEach((rate, step) => expect(learningRateAt(schedule, step, totalSteps), `step ${step}`).toBeCloseTo(rate, 12));
  });

  it('stays at the final rate after a cosine of fewer steps than the run', () => {
    const schedule = scheduleSchema.parse({ base: { kind: 'cosine', rate: 1, finalRate: 0.1, steps: 10 } });
    expect(learningRateAt(schedule, 5, 100)).toBeCloseTo(0.55, 12);
    expect([10, 11, 99].map((step) => learningRateAt(schedule, step, 100))).toEqual([0.1, 0.1, 0.1]);
  });

  it('is defined when warm-up takes the whole run', () => {
    const schedule = scheduleSchema.parse({ base: { kind: 'cosine', rate: 1 }, warmupSteps: 4 });
    expect([0, 3, 4].map((step) => learningRateAt(schedule, step, 4))).toEqual([0.25, 1, 1]);
  });
});
