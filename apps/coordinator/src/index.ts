export { runCoordinator, type CoordinatorOptions, type RunResult } from './run-coordinator.ts';
