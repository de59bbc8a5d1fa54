import type { ClusterOptions } from './cluster.ts';

const CNN = { parameters: 225_034, microBatchSize: 32, microBatchMs: 12, microBatchesPerWorker: 4, workersPerHost: 8, linkGbps: 25 } satisfies ClusterOptions;
const GPUS = { workersPerHost: 8, jitter: 0.03, memoryGBps: 200, shardHosts: ['workers'], mtbfHours: 20_000, replacementSeconds: 120, restartSeconds: 60 } satisfies ClusterOptions;
/** A sample is a sequence of 2,048 tokens; 6 operations a parameter and token at 60 TFLOP/s, and at 200. */
const M135 = { ...GPUS, parameters: 135_000_000, microBatchSize: 8, microBatchMs: 220, microBatchesPerWorker: 4 } satisfies ClusterOptions;
const B7 = { ...GPUS, parameters: 7_000_000_000, microBatchSize: 1, microBatchMs: 430, microBatchesPerWorker: 8 } satisfies ClusterOptions;

/** Clusters to begin with, each a description that others can be laid over. Compute times are assumptions: docs/scaling.md says which. */
export const PRESETS = {
  'cnn-25g': CNN,
  'cnn-25g-workers': { ...CNN, shardHosts: ['workers'], shards: 16 },
  'llm-135m-25g': { ...M135, linkGbps: 25 },
  'llm-135m-100g': { ...M135, linkGbps: 100 },
  'llm-7b-25g': { ...B7, linkGbps: 25 },
  'llm-7b-100g': { ...B7, linkGbps: 100 },
} as const satisfies Readonly<Record<string, ClusterOptions>>;

export type Preset = keyof typeof PRESETS;
