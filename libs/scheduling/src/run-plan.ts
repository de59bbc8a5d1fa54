/** How many steps a run has and where its epochs end. */
export interface RunPlan {
  readonly stepsPerEpoch: number;
  readonly totalSteps: number;
}

export function planRun(options: { readonly stepsPerEpoch: number; readonly epochs: number; readonly maxSteps: number | null }): RunPlan {
  const allSteps = options.stepsPerEpoch * options.epochs;
  return { stepsPerEpoch: options.stepsPerEpoch, totalSteps: Math.min(allSteps, options.maxSteps ?? allSteps) };
}

/** Whether an epoch, or the run, ends when the parameters reach this version. */
export function endsEpoch(plan: RunPlan, version: number): boolean {
  return version > 0 && (version % plan.stepsPerEpoch === 0 || version === plan.totalSteps);
}

/** The epoch of the step that led to a version. */
export function epochOfVersion(plan: RunPlan, version: number): number {
  return Math.floor((version - 1) / plan.stepsPerEpoch);
}
