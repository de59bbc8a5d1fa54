import { assertNever, type ScheduleConfig } from '@lockstep/core';
import { integerPower } from './optimizers/integer-power.ts';

/**
 * The learning rate of a step. Formulas are those of `torch.optim.lr_scheduler`: LinearLR, then StepLR, ExponentialLR
 * or CosineAnnealingLR, in a SequentialLR.
 *
 * @param step counted from 0 over the whole run
 * @param totalSteps of the run; a cosine without `steps` of its own ends there
 */
export function learningRateAt({ base, warmupSteps }: ScheduleConfig, step: number, totalSteps: number): number {
  if (step < warmupSteps) return (base.rate * (step + 1)) / warmupSteps;
  return baseRateAt(base, step - warmupSteps, totalSteps - warmupSteps);
}

function baseRateAt(base: ScheduleConfig['base'], step: number, remainingSteps: number): number {
  switch (base.kind) {
    case 'constant': return base.rate;
    case 'step': return base.rate * integerPower(base.factor, Math.floor(step / base.everySteps));
    case 'exponential': return base.rate * base.factor ** (step / base.everySteps);
    case 'cosine': return cosineRate(base.rate, base.finalRate, step / Math.max(1, base.steps ?? remainingSteps));
    default: return assertNever(base);
  }
}

function cosineRate(rate: number, finalRate: number, progress: number): number {
  return finalRate + ((rate - finalRate) * (1 + Math.cos(Math.PI * Math.min(1, progress)))) / 2;
}
