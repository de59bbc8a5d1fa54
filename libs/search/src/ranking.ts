export interface ScoredTrial {
  /** Its number, from 0. */
  readonly trial: number;
  /** Null where it failed, which is worse than any figure. */
  readonly score: number | null;
}

/** Which score is best. */
export type Goal = 'least' | 'greatest';

/** Best first; of equal ones the lower trial number, failed ones last. */
export function rankTrials<Trial extends ScoredTrial>(trials: readonly Trial[], goal: Goal): readonly Trial[] {
  return trials.toSorted((a, b) => compareScores(a.score, b.score, goal) || a.trial - b.trial);
}

function compareScores(a: number | null, b: number | null, goal: Goal): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  return goal === 'least' ? a - b : b - a;
}
