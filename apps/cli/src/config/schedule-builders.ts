import type { ScheduleOptions } from '@lockstep/core';

type BaseOf<Kind extends ScheduleOptions['base']['kind']> = Omit<Extract<ScheduleOptions['base'], { kind: Kind }>, 'kind'>;

/** The same learning rate at every step. */
export function constant(rate: number): ScheduleOptions {
  return { base: { kind: 'constant', rate } };
}

/** `rate * factor^floor(step / everySteps)` */
export function step(options: BaseOf<'step'>): ScheduleOptions {
  return { base: { kind: 'step', ...options } };
}

/** `rate * factor^(step / everySteps)` */
export function exponential(options: BaseOf<'exponential'>): ScheduleOptions {
  return { base: { kind: 'exponential', ...options } };
}

/** From `rate` to `finalRate` along half a cosine, over `steps` steps or the whole run. */
export function cosine(options: BaseOf<'cosine'>): ScheduleOptions {
  return { base: { kind: 'cosine', ...options } };
}

/** Linear warm-up over `warmupSteps` steps before any schedule, or before a constant rate. */
export function warmup(schedule: number | ScheduleOptions, warmupSteps: number): ScheduleOptions {
  return { ...(typeof schedule === 'number' ? constant(schedule) : schedule), warmupSteps };
}

/** Linear warm-up to `peak`, then half a cosine down to `finalRate` over the rest of the run. */
export function warmupCosine(options: { readonly peak: number; readonly warmupSteps: number; readonly finalRate?: number }): ScheduleOptions {
  const { peak, warmupSteps, finalRate = 0 } = options;
  return warmup(cosine({ rate: peak, finalRate }), warmupSteps);
}
