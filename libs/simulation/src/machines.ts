import type { Cluster } from './cluster.ts';
import type { EventQueue } from './event-queue.ts';
import type { Layout } from './layout.ts';
import { SharedResource } from './shared-resource.ts';

/** What the processes of a host share. Links and memory in bytes, cores in milliseconds of one worker. */
export interface Host {
  readonly egress: SharedResource;
  readonly ingress: SharedResource;
  readonly memory: SharedResource;
  readonly cores: SharedResource;
}

/** The cluster's hardware: each thread's work is in milliseconds. */
export interface Machines {
  readonly hosts: readonly Host[];
  /** The network thread of each worker. */
  readonly workerThreads: readonly SharedResource[];
  /** One of the equal threads of each site's shards. */
  readonly shardThreads: readonly SharedResource[];
}

const BYTES_PER_MS_OF_GBPS = 1e9 / 8 / 1000;
/** Of a GB/s. */
export const BYTES_PER_MS = 1e6;

export function createMachines(cluster: Cluster, layout: Layout, queue: EventQueue): Machines {
  const thread = (): SharedResource => new SharedResource(queue, (sharers) => 1 / sharers);
  return {
    hosts: Array.from({ length: layout.hosts }, () => createHost(cluster, queue)),
    workerThreads: layout.hostOfWorker.map(thread),
    shardThreads: layout.sites.map(thread),
  };
}

function createHost(cluster: Cluster, queue: EventQueue): Host {
  const { linkGbps, memoryGBps, contention } = cluster;
  const cores = cluster.cores ?? Infinity;
  const stream = streamBytesPerMs(cluster);
  const link = (): SharedResource => new SharedResource(queue, (streams) => Math.min(stream, (linkGbps * BYTES_PER_MS_OF_GBPS) / streams));
  return {
    egress: link(),
    ingress: link(),
    memory: new SharedResource(queue, (users) => (memoryGBps * BYTES_PER_MS) / users),
    cores: new SharedResource(queue, (busy) => Math.min(1, cores / busy) / (1 + contention * (Math.min(busy, cores) - 1))),
  };
}

/** A stream sends no more than its window until the acknowledgement is back. */
function streamBytesPerMs({ windowBytes, delayMs }: Cluster): number {
  return delayMs === 0 ? Infinity : windowBytes / (2 * delayMs);
}
