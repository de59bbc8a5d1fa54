import type { SweepPlan } from './sweep-plan.ts';
import type { TrialResult } from './trial-result.ts';

/** A sweep over learning rates, halved where budgets are given. */
export function planOf(rates: readonly string[], budgets: readonly number[] | null = null): SweepPlan {
  return {
    formatVersion: 1, flags: ['--data.validation', '0.1'], metric: 'validation.loss', logFields: ['optimizer.learningRate'], failures: {},
    halving: budgets === null ? null : { unit: 'epochs', factor: 3, budgets: [...budgets] },
    trials: rates.map((text) => ({ fields: [{ field: 'optimizer.learningRate', text }], configSha256: '' })),
  };
}

/** Of a trial whose validation losses were these; none: it failed. */
export function resultWith({ trials }: SweepPlan, trial: number, losses: readonly number[], budget: number | null = null): TrialResult {
  const isSound = losses.length > 0;
  return {
    trial, run: `trial-00${trial}`, fields: trials[trial]!.fields, budget, seconds: 2 * losses.length, parametersSha256: null,
    score: isSound ? Math.min(...losses) : null, failure: isSound ? null : 'the loss is NaN',
    epochs: losses.map((loss, epoch) => ({ epoch, loss: 2 * loss, validation: { loss, accuracy: 0.5 }, elapsedSeconds: epoch })),
  };
}
