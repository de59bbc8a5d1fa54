import type { StepEvent } from '@lockstep/core';

/** Seconds until the last step, from the mean pace since the first step seen; null until there is a pace. */
export type TimeLeft = (event: StepEvent, totalSteps: number) => number | null;

export function trackTimeLeft(): TimeLeft {
  let first: StepEvent | undefined;
  return (event, totalSteps) => {
    first ??= event;
    const steps = event.step - first.step;
    if (steps === 0) return null;
    return ((event.elapsedSeconds - first.elapsedSeconds) / steps) * Math.max(0, totalSteps - event.step - 1);
  };
}
