import type { Goal } from '@lockstep/search';
import type { EpochResult, TrialState } from './trial-state.ts';

/** What trials are compared by: validation of the best epoch, or the loss on the test set at the end. */
export const METRICS = ['validation.loss', 'validation.accuracy', 'loss'] as const;

export type Metric = (typeof METRICS)[number];

export const goalOf = (metric: Metric): Goal => (metric === 'validation.accuracy' ? 'greatest' : 'least');

export const needsValidation = (metric: Metric): boolean => metric !== 'loss';

/** The trial's figure, of the best of these epochs or of the test set; null where it has none that is a number. */
export function scoreOf(epochs: readonly EpochResult[], state: TrialState, metric: Metric): number | null {
  if (metric === 'loss') return state.kind === 'ended' && Number.isFinite(state.testLoss) ? state.testLoss : null;
  const field = metric === 'validation.loss' ? 'loss' : 'accuracy';
  const figures = epochs.flatMap(({ validation }) => validation?.[field] ?? []).filter(Number.isFinite);
  if (figures.length === 0) return null;
  return field === 'loss' ? Math.min(...figures) : Math.max(...figures);
}
