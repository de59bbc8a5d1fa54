import type { RunConfig } from '@lockstep/core';
import { endsEpoch, type RunPlan } from './run-plan.ts';

/** Whether the run's plan has a checkpoint at this version; those that minutes or signals ask for come besides. */
export function isCheckpointVersion(plan: RunPlan, checkpoints: RunConfig['checkpoints'], version: number): boolean {
  if (version <= 0) return false;
  if (version === plan.totalSteps) return true;
  if (checkpoints.everySteps !== null && version % checkpoints.everySteps === 0) return true;
  return checkpoints.everyEpoch && endsEpoch(plan, version);
}
