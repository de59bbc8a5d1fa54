import type { Point } from '@lockstep/search';
import { z } from 'zod';
import { flagsFor } from './searched-field.ts';
import { METRICS } from './metric.ts';

const halvingSchema = z.strictObject({
  /** `epochs`: a trial is one run, which pauses at each rung. `steps`: it is another run at each rung. */
  unit: z.enum(['epochs', 'steps']),
  factor: z.int().min(2),
  /** Of each rung, growing. */
  budgets: z.array(z.int().min(1)).min(1),
});

const trialSchema = z.strictObject({
  fields: z.array(z.strictObject({ field: z.string(), text: z.string() })),
  /** Of its complete config and model function. */
  configSha256: z.string(),
});

/** `sweep.json`: what a sweep was begun with. All else is in its runs, but for why some of them failed. */
export const sweepPlanSchema = z.strictObject({
  formatVersion: z.literal(1),
  /** Flags of `lockstep train` that all trials have. */
  flags: z.array(z.string()),
  metric: z.enum(METRICS),
  halving: halvingSchema.nullable(),
  /** Fields whose values are spread over their logarithm. */
  logFields: z.array(z.string()),
  /** By their numbers. */
  trials: z.array(trialSchema).min(1),
  /** Runs that cannot go on, and why. */
  failures: z.record(z.string(), z.string()),
});

export type SweepPlan = z.output<typeof sweepPlanSchema>;

/** A part of a sweep: with halving one for each budget, else the only one. Null: the config says how long a run is. */
export const rungsOf = ({ halving }: SweepPlan): readonly (number | null)[] => halving?.budgets ?? [null];

/** The flags that `lockstep train` gets for a trial, but for those of its name and cluster. */
export function trialFlags(plan: Pick<SweepPlan, 'flags' | 'halving'>, fields: Point, budget: number | null): string[] {
  return [...plan.flags, ...fields.flatMap(({ field, text }) => flagsFor(field, text)), ...lengthFlags(plan.halving, budget)];
}

/** The name of a trial's run at a rung, within the sweep's directory. */
export function runNameOf({ halving }: SweepPlan, trial: number, budget: number | null): string {
  const name = `trial-${String(trial).padStart(3, '0')}`;
  return halving?.unit === 'steps' ? `${name}-steps-${budget}` : name;
}

/** Every epoch has a step at least, so that so many epochs always reach a number of steps. */
function lengthFlags(halving: SweepPlan['halving'], budget: number | null): string[] {
  if (halving === null) return [];
  return halving.unit === 'epochs' ? ['--epochs', String(halving.budgets.at(-1))] : ['--max-steps', String(budget), '--epochs', String(budget)];
}
