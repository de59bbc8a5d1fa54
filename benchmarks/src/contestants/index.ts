import type { Measurement } from '../measurement.ts';
import type { Workload } from '../workload.ts';
import { CHECKPOINT_EVERY, measureCheckpointing } from './checkpoint-cost.ts';
import { runLockstep } from './lockstep-run.ts';
import { runLoops } from './loops.ts';
import { runTorchDdp } from './torch-ddp.ts';

export { torchVersion } from './torch-ddp.ts';

export const CONTESTANT_NAMES = {
  oneWorkerOneBatch: 'Lockstep, 1 worker, batch 128',
  plainTfjs: 'tfjs-node loop',
  fastTfjs: "tfjs-node loop with Lockstep's kernels",
  twoWorkers: 'Lockstep, 2 workers, batch 256',
  oneWorker: 'Lockstep, 1 worker, batch 256',
  checkpointing: 'Lockstep, 2 workers, checkpoints',
  onServers: 'Lockstep, 2 workers, shards on 2 parameter servers',
  replicated: 'Lockstep, 2 workers, shards on 2 parameter servers with replicas',
  twoAlone: '2 independent processes, batch 128 each',
  torchDdp: 'PyTorch DDP over gloo, 2 processes, batch 256',
} as const;

/** A run whose checkpoints are measured lasts so many times as long as others: it needs many of them. */
const CHECKPOINTING_FACTOR = 10;

export type ContestantName = keyof typeof CONTESTANT_NAMES;

export interface ContestantOptions {
  readonly python: string;
  readonly runsDirectory: string;
  readonly signal: AbortSignal;
}

/** Runs a contestant once, as processes of its own. */
export function measure(name: ContestantName, workload: Workload, { python, runsDirectory, signal }: ContestantOptions): Promise<Measurement> {
  const lockstep = (workers: number, microBatches: number, flags: readonly string[] = []) => runLockstep({ workload, workers, microBatches, flags, runsDirectory, signal });
  const checkpoints = ['--checkpoints.every-epoch', 'false', '--checkpoints.every-minutes', 'none', '--checkpoints.every-steps', String(CHECKPOINT_EVERY)];
  const servers = ['--shard-hosts', 'servers', '--parameter-servers', '2'];
  const { model, seconds } = workload;
  switch (name) {
    case 'oneWorkerOneBatch': return lockstep(1, 1);
    case 'oneWorker': return lockstep(1, 2);
    case 'twoWorkers': return lockstep(2, 2);
    case 'checkpointing': return runLockstep({
      workload: { ...workload, steps: CHECKPOINTING_FACTOR * workload.steps }, workers: 2, microBatches: 2, flags: checkpoints, runsDirectory, signal, measure: measureCheckpointing,
    });
    case 'onServers': return lockstep(2, 2, servers);
    case 'replicated': return lockstep(2, 2, [...servers, '--replicas', '1']);
    case 'plainTfjs': return runLoops({ kind: 'tfjs', model, seconds }, 1, signal);
    case 'fastTfjs': return runLoops({ kind: 'tfjs-fast', model, seconds }, 1, signal);
    case 'twoAlone': return runLoops({ kind: 'engine', model, seconds }, 2, signal);
    case 'torchDdp': return runTorchDdp(python, workload, 2, signal);
  }
}
