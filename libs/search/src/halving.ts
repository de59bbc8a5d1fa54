import { rankTrials, type Goal, type ScoredTrial } from './ranking.ts';

export interface Halving {
  /** What every trial gets, in epochs or steps. */
  readonly least: number;
  /** What the last ones get. */
  readonly most: number;
  /** One of so many goes on, with so many times the budget. */
  readonly factor: number;
}

/**
 * The budgets of the rungs of successive halving (Jamieson & Talwalkar 2016, "Non-stochastic best arm identification and
 * hyperparameter optimization"), each that of the one before times `factor`; the last is `most`, which may be somewhat more or less than that.
 */
export function budgetsOf({ least, most, factor }: Halving): readonly number[] {
  if (least === most) return [most];
  const numRungs = Math.max(1, Math.round(Math.log(most / least) / Math.log(factor)));
  return [...Array.from({ length: numRungs }, (_, rung) => least * factor ** rung), most];
}

/** The numbers of the trials that go on, in trial order: the best `floor(n / factor)` of `n`, at least one; never one that failed. */
export function promote(trials: readonly ScoredTrial[], goal: Goal, factor: number): readonly number[] {
  const places = Math.max(1, Math.floor(trials.length / factor));
  const best = rankTrials(trials, goal).filter(({ score }) => score !== null).slice(0, places);
  return best.map(({ trial }) => trial).toSorted((a, b) => a - b);
}
