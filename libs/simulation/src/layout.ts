import { hostsForShards, placeShards, type PlacementHost, type ShardPlacement } from '@lockstep/scheduling';
import type { Cluster } from './cluster.ts';

/** The shards of one host. They have a thread each and equal ranges, so all do the same at the same time. */
export interface SiteLayout {
  readonly host: number;
  readonly shards: number;
  /** The hosts of these shards' replicas, each as often as it has one. */
  readonly replicaHosts: readonly number[];
}

/** Which process is on which host; hosts are numbered, those of the workers first. */
export interface Layout {
  readonly hosts: number;
  readonly hostOfWorker: readonly number[];
  readonly coordinatorHost: number;
  readonly processes: readonly PlacementHost[];
  readonly placements: readonly ShardPlacement[];
  readonly sites: readonly SiteLayout[];
}

/** Puts the workers on hosts in order and deals the shards out as the coordinator does. */
export function layOut(cluster: Cluster, workers: number): Layout {
  const hostOfWorker = Array.from({ length: workers }, (_, worker) => Math.floor(worker / cluster.workersPerHost));
  const workerHosts = Math.ceil(workers / cluster.workersPerHost);
  const coordinatorHost = cluster.coordinatorOnFirstHost ? 0 : workerHosts;
  const firstServer = Math.max(workerHosts, coordinatorHost + 1);
  const processes = processesOf(coordinatorHost, hostOfWorker, Array.from({ length: cluster.servers }, (_, server) => firstServer + server));
  const { shardHosts, replicas } = cluster;
  const shards = cluster.shards ?? hostsForShards(processes, shardHosts).length;
  const placements = placeShards({ hosts: processes, shardHosts, shards, replicas });
  const hostOf = (process: number): number => Number(processes[process]?.hostname);
  const byHost = Map.groupBy(placements, ({ primary }) => hostOf(primary));
  const sites = [...byHost].map(([host, placed]) => ({
    host, shards: placed.length, replicaHosts: placed.flatMap(({ replica }) => (replica === null ? [] : hostOf(replica))),
  }));
  return { hosts: firstServer + cluster.servers, hostOfWorker, coordinatorHost, processes, placements, sites };
}

/** The number of a worker's process. */
export const processOfWorker = (worker: number): number => worker + 1;

function processesOf(coordinatorHost: number, hostOfWorker: readonly number[], serverHosts: readonly number[]): PlacementHost[] {
  const all = [
    { kind: 'coordinator' as const, host: coordinatorHost },
    ...hostOfWorker.map((host) => ({ kind: 'worker' as const, host })),
    ...serverHosts.map((host) => ({ kind: 'server' as const, host })),
  ];
  return all.map(({ kind, host }, process) => ({ host: process, kind, hostname: String(host) }));
}
