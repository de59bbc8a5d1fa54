export type BenchModel = 'mlp' | 'cnn';

/** How long one measurement of a model lasts. */
export interface Workload {
  readonly model: BenchModel;
  /** Optimizer steps of a run, warm-up included. */
  readonly steps: number;
  /** What a loop that is timed by the clock runs after its warm-up. */
  readonly seconds: number;
}

/** Samples of a step of each worker or process. */
export const BATCH = 128;

/** The share of a run's steps that counts as warm-up. */
export const WARM_UP = 0.2;

export const MODEL_NAMES: Readonly<Record<BenchModel, string>> = { mlp: 'MLP', cnn: 'CNN' };

export function workloads(quick: boolean): readonly Workload[] {
  return quick
    ? [{ model: 'mlp', steps: 400, seconds: 1 }, { model: 'cnn', steps: 30, seconds: 1 }]
    : [{ model: 'mlp', steps: 2000, seconds: 4 }, { model: 'cnn', steps: 100, seconds: 4 }];
}
