import type { RunConfig } from '@lockstep/core';
import { detectCapabilities, numericsEnvironment } from '@lockstep/engine';
import { requireLocalOrInsecure } from '@lockstep/transport';
import { EngineHandle } from './engine-handle.ts';
import { runWorkerOn, type WorkerDevice, type WorkerOptions } from './worker-process.ts';

export interface EngineWorkerOptions extends WorkerOptions {
  /** Which engine this machine is to offer. */
  readonly engine: RunConfig['numerics']['engine'];
  /** Allow `listenHost` beyond this machine, unencrypted. */
  readonly insecure: boolean;
}

/**
 * A worker with an engine of this machine, from joining to the end of the run, or until it has left.
 * @throws LockstepError when it is refused, its coordinator does not come back, or it cannot compute.
 */
export async function runWorker(options: EngineWorkerOptions): Promise<void> {
  requireLocalOrInsecure(`${options.listenHost}:0`, options.insecure);
  await runWorkerOn(await engineOfMachine(options.engine), options);
}

async function engineOfMachine(choice: EngineWorkerOptions['engine']): Promise<WorkerDevice> {
  return {
    capabilities: await detectCapabilities(choice),
    startEngine(options) {
      Object.assign(process.env, numericsEnvironment(options.data.numerics));
      return new EngineHandle(options);
    },
  };
}
