import type { Point, ScoredTrial } from '@lockstep/search';
import { scoreOf } from './metric.ts';
import { runNameOf, type SweepPlan } from './sweep-plan.ts';
import type { EpochResult, TrialState } from './trial-state.ts';

/** What a trial came to with a budget. */
export interface TrialResult extends ScoredTrial {
  /** The name of its run in the sweep's directory. */
  readonly run: string;
  readonly fields: Point;
  /** Of the rung, in epochs or steps; null without halving. */
  readonly budget: number | null;
  /** Those of its budget: a run that is told to pause may have made some steps more. */
  readonly epochs: readonly EpochResult[];
  /** Of training, up to the last epoch. */
  readonly seconds: number;
  /** Of the weights that the run ended with; null where it was not trained to its end. */
  readonly parametersSha256: string | null;
  /** Why it could not go on, or null. */
  readonly failure: string | null;
}

export function resultOf(plan: SweepPlan, trial: number, budget: number | null, state: TrialState): TrialResult {
  const run = runNameOf(plan, trial, budget);
  const failure = plan.failures[run] ?? null;
  const budgetEpochs = (plan.halving?.unit === 'epochs' ? budget : null) ?? Infinity;
  const epochs = state.kind === 'new' ? [] : state.epochs.filter(({ epoch }) => epoch < budgetEpochs);
  return {
    trial, run, fields: plan.trials[trial]?.fields ?? [], budget, epochs, seconds: epochs.at(-1)?.elapsedSeconds ?? 0, failure,
    score: failure === null ? scoreOf(epochs, state, plan.metric) : null,
    parametersSha256: state.kind === 'ended' ? state.parametersSha256 : null,
  };
}

/** Whether a trial has had its budget: a run pauses after so many epochs, but the last rung's goes on to its end. */
export function hasBudget({ halving }: SweepPlan, budget: number | null, state: TrialState): boolean {
  if (state.kind === 'ended') return true;
  const pausesAfter = pauseOf({ halving }, budget);
  return pausesAfter !== null && state.kind === 'begun' && state.epochs.length >= pausesAfter;
}

/** The epochs after which a trial's run pauses, or null where it goes on to its end. */
export function pauseOf({ halving }: Pick<SweepPlan, 'halving'>, budget: number | null): number | null {
  return halving?.unit === 'epochs' && budget !== halving.budgets.at(-1) ? budget : null;
}
