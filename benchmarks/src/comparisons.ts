import type { ContestantName } from './contestants/index.ts';
import type { BenchModel } from './workload.ts';

/** Two contestants that one row sets side by side. */
export interface Comparison {
  readonly group: 'a' | 'b' | 'c' | 'f';
  readonly what: string;
  readonly ours: ContestantName;
  readonly peer: ContestantName;
  readonly peerName: string;
  /** What the ratio should reach. */
  readonly goal: Readonly<Record<BenchModel, number>> | null;
}

const both = (goal: number) => ({ mlp: goal, cnn: goal });

export const COMPARISONS: readonly Comparison[] = [
  { group: 'a', what: '1 worker against a plain tfjs-node loop, batch 128', ours: 'oneWorkerOneBatch', peer: 'plainTfjs', peerName: 'plain loop', goal: both(0.95) },
  { group: 'a', what: "1 worker against that loop on Lockstep's kernels", ours: 'oneWorkerOneBatch', peer: 'fastTfjs', peerName: 'loop, our kernels', goal: both(0.95) },
  { group: 'b', what: '2 workers against PyTorch DDP over gloo, batch 256', ours: 'twoWorkers', peer: 'torchDdp', peerName: 'DDP', goal: { mlp: 1.5, cnn: 1.3 } },
  { group: 'c', what: '2 workers against 1 worker, batch 256', ours: 'twoWorkers', peer: 'oneWorker', peerName: '1 worker', goal: null },
  { group: 'f', what: '2 workers, shards on 2 servers with replicas, against none', ours: 'replicated', peer: 'onServers', peerName: 'no replicas', goal: null },
  { group: 'c', what: '2 workers against 2 independent processes', ours: 'twoWorkers', peer: 'twoAlone', peerName: '2 alone', goal: both(0.97) },
];
