import { expect, it } from 'vitest';
import { endsEpoch, epochOfVersion, planRun } from './run-plan.ts';

const versions = (last: number): number[] => Array.from({ length: last + 1 }, (_, version) => version);

it('has all steps of all epochs, or fewer where a limit says so', () => {
  expect(planRun({ stepsPerEpoch: 235, epochs: 5, maxSteps: null }).totalSteps).toBe(1175);
  expect(planRun({ stepsPerEpoch: 235, epochs: 5, maxSteps: 300 }).totalSteps).toBe(300);
  expect(planRun({ stepsPerEpoch: 235, epochs: 5, maxSteps: 5000 }).totalSteps).toBe(1175);
});

it('ends an epoch after its last step, and the last one with the run', () => {
  const plan = planRun({ stepsPerEpoch: 4, epochs: 3, maxSteps: null });
  expect(versions(12).filter((version) => endsEpoch(plan, version))).toEqual([4, 8, 12]);
  const cut = planRun({ stepsPerEpoch: 4, epochs: 3, maxSteps: 6 });
  expect(versions(6).filter((version) => endsEpoch(cut, version))).toEqual([4, 6]);
});

it('counts the step that led to a version to its epoch', () => {
  const plan = planRun({ stepsPerEpoch: 4, epochs: 3, maxSteps: null });
  expect(versions(12).slice(1).map((version) => epochOfVersion(plan, version))).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]);
});
