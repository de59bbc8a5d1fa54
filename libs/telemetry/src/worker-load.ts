import type { StepEvent } from '@lockstep/core';

const WINDOW_SECONDS = 1;

/** What a worker did over the last second or so. */
export interface WorkerLoad {
  /** Its part of the last step. */
  readonly microBatches: number;
  /** Mean time its gradients took in a step. */
  readonly computeMsPerStep: number;
  /** The share of the time in which it computed, 0..1. */
  readonly busy: number;
}

/** Adds up the workers' entries of step events; gives the loads by rank each time a window of a second is full, else null. */
export function trackWorkerLoad(): (event: StepEvent) => ReadonlyMap<number, WorkerLoad> | null {
  const computeMs = new Map<number, number>();
  let steps = 0;
  let windowStart: number | undefined;

  return (event) => {
    steps += 1;
    for (const worker of event.workers) computeMs.set(worker.rank, (computeMs.get(worker.rank) ?? 0) + worker.computeMs);
    windowStart ??= event.elapsedSeconds - 0.001 * Math.max(0, ...event.workers.map((worker) => worker.computeMs));
    const seconds = event.elapsedSeconds - windowStart;
    if (seconds < WINDOW_SECONDS) return null;
    const loads = new Map(event.workers.map(({ rank, microBatches }) => {
      const total = computeMs.get(rank) ?? 0;
      return [rank, { microBatches, computeMsPerStep: total / steps, busy: Math.min(1, total / 1000 / seconds) }];
    }));
    computeMs.clear();
    steps = 0;
    windowStart = event.elapsedSeconds;
    return loads;
  };
}
