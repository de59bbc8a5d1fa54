import type { RunEvent, StepEvent } from '@lockstep/core';
import type { RunEventSink } from './run-event-sink.ts';

const MAX_POINTS = 2000;

/**
 * A sink that remembers a run in bounded memory: all events but steps, and at most 2,000 points for those, each the mean of
 * as many neighbours. What each worker did is remembered of the last step alone: 256 workers in each point would be 30 MB.
 */
export interface RunHistory extends RunEventSink {
  /** The steps come last, in order; so do the others among themselves. */
  events(): readonly RunEvent[];
}

export function createRunHistory(): RunHistory {
  const others: RunEvent[] = [];
  let points: StepEvent[] = [];
  let stepsPerPoint = 1;
  let gathered: StepEvent[] = [];
  let workers: StepEvent['workers'] = [];

  function add(event: StepEvent): void {
    workers = event.workers;
    gathered.push({ ...event, workers: [] });
    if (gathered.length < stepsPerPoint) return;
    points.push(meanStep(gathered));
    gathered = [];
    if (points.length < MAX_POINTS) return;
    points = meansOfPairs(points);
    stepsPerPoint *= 2;
  }

  return {
    write(event) {
      if (event.event === 'step') add(event);
      else others.push(event);
    },
    events: () => {
      const steps = [...points, ...(gathered.length === 0 ? [] : [meanStep(gathered)])];
      return [...others, ...steps.map((step, index) => (index === steps.length - 1 ? { ...step, workers } : step))];
    },
    close: () => Promise.resolve(),
  };
}

/** Loss and accuracy as means over the steps' examples; the rest as of the last step. */
function meanStep(steps: readonly StepEvent[]): StepEvent {
  const last = steps.at(-1) as StepEvent;
  if (steps.length === 1) return last;
  const numExamples = steps.reduce((total, step) => total + step.numExamples, 0);
  const mean = (value: (step: StepEvent) => number) => steps.reduce((total, step) => total + value(step) * step.numExamples, 0) / numExamples;
  return { ...last, loss: mean((step) => step.loss), accuracy: mean((step) => step.accuracy), numExamples };
}

function meansOfPairs(points: readonly StepEvent[]): StepEvent[] {
  return Array.from({ length: points.length / 2 }, (_, pair) => meanStep(points.slice(2 * pair, 2 * pair + 2)));
}
