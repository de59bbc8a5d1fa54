export type { CoordinatorOptions } from './coordinator-options.ts';
export { runCoordinator, type RunResult } from './run-coordinator.ts';
