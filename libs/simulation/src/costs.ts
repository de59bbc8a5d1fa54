import type { Cluster } from './cluster.ts';
import { BYTES_PER_MS } from './machines.ts';

const FLOAT_BYTES = 4;
/** Of an element: its parameter and Adam's two moments. */
export const STATE_BYTES = 12;

/** What a shard's slice of the vector costs the thread that deals with it. All shards have equal slices. */
export interface Costs {
  /** Of a slice between hosts, and in shared memory. */
  readonly wireBytes: number;
  readonly localBytes: number;
  /** Sending or taking a slice between hosts: the message and its bytes. */
  readonly sendMs: number;
  /** Between a process and the tmpfs. */
  readonly copyMs: number;
  /** The look whether what came over the wire is all numbers. */
  readonly scanMs: number;
  readonly mergeMs: number;
  /** Division by the examples. */
  readonly averageMs: number;
  readonly normMs: number;
  readonly optimizerMs: number;
  readonly snapshotMs: number;
}

export function costsOf(cluster: Cluster, shards: number): Costs {
  const { parameters, wireBytes, processMBps, messageMs, copyGBps, reduceGBps, optimizerPerSecond } = cluster;
  const elements = parameters / shards;
  const localBytes = elements * FLOAT_BYTES;
  const passMs = (bytes: number): number => bytes / (reduceGBps * BYTES_PER_MS);
  return {
    wireBytes: elements * wireBytes,
    localBytes,
    sendMs: messageMs + (elements * wireBytes) / (processMBps * 1000),
    copyMs: localBytes / (copyGBps * BYTES_PER_MS),
    scanMs: passMs(localBytes),
    mergeMs: passMs(3 * localBytes),
    averageMs: passMs(2 * localBytes),
    normMs: passMs(localBytes),
    optimizerMs: (elements / optimizerPerSecond) * 1000,
    snapshotMs: (elements * STATE_BYTES) / (copyGBps * BYTES_PER_MS),
  };
}
