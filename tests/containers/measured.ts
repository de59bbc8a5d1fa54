import type { RunEvent } from '@lockstep/core';

/** All that a run reports of its result, by whichever of its coordinators. An epoch that was told twice stands there once. */
export function measured(events: readonly RunEvent[]): object {
  const end = events.findLast((event) => event.event === 'end');
  const epochs = events.filter((event) => event.event === 'epoch');
  const figures = epochs.map(({ epoch, loss, accuracy, parametersSha256 }) => JSON.stringify({ epoch, loss, accuracy, parametersSha256 }));
  return {
    parametersSha256: end?.parametersSha256, steps: end?.steps, trainExamples: end?.trainExamples, test: end?.test, stoppedEarly: end?.stoppedEarly,
    epochs: [...new Set(figures)],
  };
}
