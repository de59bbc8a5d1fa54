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
  /** How many shards each host has. */
  readonly shardsOn: readonly number[];
  /** The sites that are simulated: of many that are alike a few, which stand for the others too. */
  readonly sites: readonly SiteLayout[];
}

/** Of hosts with as many shards and workers so many sites are simulated at most. */
const SITES_OF_A_KIND = 16;

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
  const hosts = firstServer + cluster.servers;
  const sites = [...Map.groupBy(placements, ({ primary }) => hostOf(primary))].map(([host, placed]) => ({
    host, shards: placed.length, replicaHosts: placed.flatMap(({ replica }) => (replica === null ? [] : hostOf(replica))),
  }));
  const shardsOn = Array.from({ length: hosts }, (_, host) => sites.find((site) => site.host === host)?.shards ?? 0);
  return { hosts, hostOfWorker, coordinatorHost, processes, placements, shardsOn, sites: standIns(sites, hostOfWorker) };
}

/** Of each kind of site some, evenly spread. */
function standIns(sites: readonly SiteLayout[], hostOfWorker: readonly number[]): SiteLayout[] {
  const workersOn = Map.groupBy(hostOfWorker, (host) => host);
  const kinds = Map.groupBy(sites, ({ host, shards }) => `${shards} shards, ${workersOn.get(host)?.length ?? 0} workers`);
  return [...kinds.values()].flatMap((alike) => alike.filter((_, index) => isStandIn(index, alike.length)));
}

const isStandIn = (index: number, count: number): boolean =>
  count <= SITES_OF_A_KIND || Math.floor((index * SITES_OF_A_KIND) / count) !== Math.floor(((index - 1) * SITES_OF_A_KIND) / count);

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
