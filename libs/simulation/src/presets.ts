import type { ClusterOptions } from './cluster.ts';

const GPUS = { workersPerHost: 8, jitter: 0.03, memoryGBps: 200, overheadMs: 1, mtbfHours: 20_000, replacementSeconds: 120, restartSeconds: 60 } satisfies ClusterOptions;

/** Clusters to begin with, each a description that others can be laid over. Compute times are assumptions: docs/scaling.md says which. */
export const PRESETS = {
  'cnn-25g': { parameters: 225_034, microBatchSize: 32, microBatchMs: 12, microBatchesPerWorker: 4, workersPerHost: 8, linkGbps: 25 },
  'llm-135m-25g': { ...GPUS, parameters: 135_000_000, microBatchSize: 8, microBatchMs: 220, microBatchesPerWorker: 4, linkGbps: 25, shardHosts: ['workers'] },
  'llm-135m-100g': { ...GPUS, parameters: 135_000_000, microBatchSize: 8, microBatchMs: 220, microBatchesPerWorker: 4, linkGbps: 100, shardHosts: ['workers'] },
  'llm-7b-25g': { ...GPUS, parameters: 7_000_000_000, microBatchSize: 1, microBatchMs: 430, microBatchesPerWorker: 8, linkGbps: 25, shardHosts: ['workers'] },
  'llm-7b-100g': { ...GPUS, parameters: 7_000_000_000, microBatchSize: 1, microBatchMs: 430, microBatchesPerWorker: 8, linkGbps: 100, shardHosts: ['workers'] },
} as const satisfies Readonly<Record<string, ClusterOptions>>;

export type Preset = keyof typeof PRESETS;
