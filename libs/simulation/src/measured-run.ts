import { LockstepError, medianOf, type RunEvent, type StartEvent, type StepEvent } from '@lockstep/core';

/** A real run, as far as the model speaks of it. */
export interface MeasuredRun {
  readonly run: string;
  readonly model: string;
  readonly parameters: number;
  readonly microBatches: number;
  readonly microBatchSize: number;
  readonly workers: number;
  /** The median over its steady steps. */
  readonly stepMs: number;
  /** Of each steady step: its duration and, of each worker, its part. */
  readonly steps: readonly { readonly tookMs: number; readonly shares: StepEvent['workers'] }[];
}

/** The first steps of a run are slower. */
const STEADY_FROM = 0.2;
const LEAST_STEPS = 10;

/**
 * A run's steady steps from its events: of the last four fifths those that follow another of the same epoch and in which as many
 * workers took part as in most.
 * @throws LockstepError `data` where they are too few.
 */
export function measureRun(events: readonly RunEvent[]): MeasuredRun {
  const start = events.find((event): event is StartEvent => event.event === 'start');
  if (start === undefined) throw new LockstepError('data', 'the run has no start event');
  const steps = steadySteps(events.filter((event) => event.event === 'step'));
  const workers = medianOf(steps.map(({ shares }) => shares.length));
  const usual = steps.filter(({ shares }) => shares.length === workers);
  if (usual.length < LEAST_STEPS) throw new LockstepError('data', `run ${start.run} has ${usual.length} steady steps, expected at least ${LEAST_STEPS}`);
  const { run, model, parameters, microBatches, globalBatchSize } = start;
  return {
    run, model, parameters, microBatches, workers, steps: usual,
    microBatchSize: Math.round(globalBatchSize / microBatches), stepMs: medianOf(usual.map(({ tookMs }) => tookMs)),
  };
}

function steadySteps(steps: readonly StepEvent[]): MeasuredRun['steps'] {
  return steps.slice(Math.floor(steps.length * STEADY_FROM)).flatMap((step, index, steady) => {
    const before = steady[index - 1];
    if (before?.step !== step.step - 1 || before.epoch !== step.epoch) return [];
    return [{ tookMs: (step.elapsedSeconds - before.elapsedSeconds) * 1000, shares: step.workers.filter(({ microBatches }) => microBatches > 0) }];
  });
}

/** What a micro-batch took each worker of a step, in milliseconds. */
export const microBatchTimes = (shares: StepEvent['workers']): number[] => shares.map(({ computeMs, microBatches }) => computeMs / microBatches);
