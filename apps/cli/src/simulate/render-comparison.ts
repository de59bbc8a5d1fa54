import { textTable } from '@lockstep/evaluation';
import type { Comparison } from '@lockstep/simulation';
import { duration } from './render-predictions.ts';

const HEADING = ['run', 'workers', 'measured', 'predicted', 'off by'];

/** Runs beside what the model says of them. */
export function renderComparison(comparisons: readonly Comparison[]): string {
  const rows = comparisons.map(({ run, workers, measuredMs, predictedMs, error }) =>
    [run, String(workers), duration(measuredMs), duration(predictedMs), `${error < 0 ? '−' : '+'}${(Math.abs(error) * 100).toFixed(1)} %`]);
  const worst = Math.max(...comparisons.map(({ error }) => Math.abs(error)));
  return [...textTable([HEADING, ...rows], HEADING.map(() => 'right')), '', `at most ${(worst * 100).toFixed(1)} % off`].join('\n');
}
