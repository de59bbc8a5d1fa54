import type { Cluster } from './cluster.ts';
import { stepMsOf } from './calibrate.ts';
import type { MeasuredRun } from './measured-run.ts';

/** A run beside what the model says of it. */
export interface Comparison {
  readonly run: string;
  readonly workers: number;
  readonly measuredMs: number;
  readonly predictedMs: number;
  /** Of the prediction, relative to what was measured. */
  readonly error: number;
}

/** Predicts each run on a cluster: model, batch and number of workers are the run's, all else is the cluster's. */
export function compareRuns(cluster: Cluster, runs: readonly MeasuredRun[]): Comparison[] {
  return runs.map(({ run, workers, parameters, microBatches, microBatchSize, stepMs }) => {
    const predictedMs = stepMsOf({ ...cluster, parameters, microBatches, microBatchSize }, workers);
    return { run, workers, measuredMs: stepMs, predictedMs, error: predictedMs / stepMs - 1 };
  });
}
