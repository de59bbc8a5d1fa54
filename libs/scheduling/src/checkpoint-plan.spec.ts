import { expect, it } from 'vitest';
import { isCheckpointVersion } from './checkpoint-plan.ts';
import { checkpointsToRemove } from './retention.ts';

const plan = { stepsPerEpoch: 4, totalSteps: 10 };
const versions = (options: { readonly everySteps: number | null; readonly everyEpoch: boolean }): number[] =>
  Array.from({ length: 11 }, (_, version) => version).filter((version) => isCheckpointVersion(plan, { everyMinutes: 5, keepLast: 3, ...options }, version));

it.each([
  ['at each epoch\'s end', { everySteps: null, everyEpoch: true }, [4, 8, 10]],
  ['every so many steps', { everySteps: 3, everyEpoch: false }, [3, 6, 9, 10]],
  ['at both', { everySteps: 3, everyEpoch: true }, [3, 4, 6, 8, 9, 10]],
  ['at the end whatever is asked for', { everySteps: null, everyEpoch: false }, [10]],
])('a run has a checkpoint %s', (_, options, expected) => {
  expect(versions(options)).toEqual(expected);
});

it.each([
  ['the newest', [12, 4, 8, 16], { keepLast: 2, best: null }, [4, 8]],
  ['the best besides', [4, 8, 12, 16], { keepLast: 2, best: 4 }, [8]],
  ['all while there are few', [4, 8], { keepLast: 3, best: null }, []],
  ['one where one is enough', [4, 8], { keepLast: 1, best: 8 }, [4]],
])('retention keeps %s', (_, existing, keep, removed) => {
  expect(checkpointsToRemove(existing, keep)).toEqual(removed);
});
