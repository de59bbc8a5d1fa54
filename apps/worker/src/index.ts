export { runWorker, type EngineWorkerOptions } from './run-worker.ts';
export { runWorkerOn, type WorkerDevice, type WorkerEngine, type WorkerEngineOptions, type WorkerOptions } from './worker-process.ts';
