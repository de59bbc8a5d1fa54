import { z } from 'zod';

const positive = z.number().positive();
const microBatchMs = z.union([positive, z.array(positive).min(1)]);

/**
 * A cluster, the model that it trains and how long each thing takes there. One flat object, so that each field is a flag
 * too; a description is the help of that flag. MB and GB are powers of ten, GB/s of a kernel those of its operands.
 */
export const clusterSchema = z.strictObject({
  parameters: z.int().min(1).default(225_034).describe('elements of the flat vector'),
  microBatchSize: z.int().min(1).default(32).describe('samples of a micro-batch'),
  microBatchesPerWorker: z.int().min(1).default(4).describe('the global batch grows with the workers: so many micro-batches each, the next power of two in all'),
  microBatches: z.int().min(1).max(65_536).refine((value) => Number.isInteger(Math.log2(value)), 'a power of two').nullable().default(null)
    .describe('a global batch of so many micro-batches, whatever the workers'),

  workersPerHost: z.int().min(1).default(8).describe('workers of a host'),
  cores: positive.nullable().default(null).describe('cores that the workers of a host share; none: each has a device of its own'),
  microBatchMs: microBatchMs.default(12).describe('gradient of a micro-batch, in milliseconds; of several each worker has the next in turn'),
  jitter: z.number().min(0).max(2).default(0.05).describe('standard deviation of a worker\'s compute time from step to step, as a share of it'),
  contention: z.number().min(0).default(0).describe('by which share a micro-batch takes longer for each other one that its host computes at the same time'),

  linkGbps: positive.default(25).describe('of a host\'s network link, each direction, in Gbit/s'),
  delayMs: z.number().min(0).default(0.05).describe('one way between hosts'),
  windowBytes: positive.default(4_194_304).describe('what a stream may have under way unacknowledged: Linux lets a TCP window grow to 4 to 6 MB'),
  processMBps: positive.default(400).describe('what the network thread of a worker or shard moves between hosts, in MB/s'),
  copyGBps: positive.default(4).describe('copy between a process and the tmpfs, in GB/s'),
  memoryGBps: positive.default(100).describe('memory bandwidth that a host\'s processes share'),
  messageMs: z.number().min(0).default(0.05).describe('what a message costs the thread that sends it and the one that takes it'),
  overheadMs: z.number().min(0).default(0.5).describe('what else a worker\'s step takes: threads woken, parameters handed over'),
  wireBytes: positive.default(4).describe('bytes of a parameter between hosts'),

  shardHosts: z.array(z.enum(['coordinator', 'workers', 'servers'])).min(1).default(['coordinator']).describe('whose processes host the shards'),
  shards: z.int().min(1).nullable().default(null).describe('shards; none: one a process that may host them'),
  servers: z.int().min(0).default(0).describe('hosts with a parameter server each'),
  replicas: z.int().min(0).max(1).default(0).describe('copies of each shard'),
  coordinatorOnFirstHost: z.boolean().default(false).describe('the coordinator is on the first workers\' host, else on one of its own'),
  reduceGBps: positive.default(20).describe('addition in a shard\'s thread, in GB/s'),
  optimizerPerSecond: positive.default(0.9e9).describe('parameters that a shard\'s thread steps a second'),
  clipping: z.boolean().default(false).describe('clip by the global norm: the shards exchange norms before they step'),

  backupAfter: z.number().min(1).nullable().default(3).describe('as in a run\'s config'),
  failureDetectionMs: z.int().min(100).default(2000).describe('as in a run\'s config'),
  mtbfHours: positive.nullable().default(null).describe('mean time between failures of one worker; none: never'),
  replacementSeconds: z.number().min(0).default(60).describe('until another worker takes the place of a lost one'),
  restartSeconds: z.number().min(0).default(10).describe('to place shards anew from a checkpoint'),
  checkpointMinutes: positive.nullable().default(5).describe('between checkpoints; none: none'),
});

/** What a person writes of a cluster. */
export type ClusterOptions = z.input<typeof clusterSchema>;
export type Cluster = Readonly<z.output<typeof clusterSchema>>;

/** V, the micro-batches of a step with so many workers. */
export function microBatchesOf({ microBatches, microBatchesPerWorker }: Pick<Cluster, 'microBatches' | 'microBatchesPerWorker'>, workers: number): number {
  return microBatches ?? 2 ** Math.ceil(Math.log2(workers * microBatchesPerWorker));
}

/** What a worker alone on its host takes for a micro-batch, in milliseconds. */
export function microBatchMsOf({ microBatchMs: ms }: Pick<Cluster, 'microBatchMs'>, worker: number): number {
  return typeof ms === 'number' ? ms : ms[worker % ms.length] ?? 0;
}
