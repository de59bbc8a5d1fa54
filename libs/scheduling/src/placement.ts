import type { ShardHostKind } from '@lockstep/core';

/** A process that can host shards. */
export interface PlacementHost {
  readonly host: number;
  readonly kind: 'coordinator' | 'worker' | 'server';
  readonly hostname: string;
}

/** The hosts of one shard; shards are placed in range order. */
export interface ShardPlacement {
  readonly primary: number;
  readonly replica: number | null;
}

export interface PlacementRequest {
  readonly hosts: readonly PlacementHost[];
  readonly shardHosts: readonly ShardHostKind[];
  readonly shards: number;
  readonly replicas: number;
}

const KIND_OF: Record<PlacementHost['kind'], ShardHostKind> = { coordinator: 'coordinator', worker: 'workers', server: 'servers' };

/** The hosts that shards are dealt over, by number: those of the wanted kinds, or the coordinator's where there are none. */
export function hostsForShards(hosts: readonly PlacementHost[], shardHosts: readonly ShardHostKind[]): PlacementHost[] {
  const wanted = hosts.filter(({ kind }) => shardHosts.includes(KIND_OF[kind]));
  const chosen = wanted.length > 0 ? wanted : hosts.filter(({ kind }) => kind === 'coordinator');
  return chosen.sort((a, b) => a.host - b.host);
}

/**
 * Deals the shards out in turn. A replica lies on another host than its primary, on another machine where there is one;
 * null where there is no other host. Without any host there are no placements.
 */
export function placeShards({ hosts, shardHosts, shards, replicas }: PlacementRequest): ShardPlacement[] {
  const over = hostsForShards(hosts, shardHosts);
  const primaries = Array.from({ length: shards }, (_, shard) => over[shard % over.length]?.host ?? []).flat();
  return withReplicas(primaries.map((primary) => ({ primary, replica: null })), over, replicas);
}

export type HostLossDecision =
  | { readonly kind: 'keep'; readonly placements: readonly ShardPlacement[] }
  /** The replicas of `shards` become primaries. */
  | { readonly kind: 'promote'; readonly placements: readonly ShardPlacement[]; readonly shards: readonly number[] }
  /** A shard is gone with no copy of its newest version: all go back to the last checkpoint, placed anew. */
  | { readonly kind: 'rollback'; readonly reason: string };

/** What the loss of a host means for the shards. */
export function afterHostLoss(placements: readonly ShardPlacement[], host: number, inSync: (shard: number) => boolean): HostLossDecision {
  const shards = placements.flatMap(({ primary }, shard) => (primary === host ? shard : []));
  const bereft = shards.filter((shard) => replicaOf(placements, shard) === null || !inSync(shard));
  if (bereft.length > 0) return { kind: 'rollback', reason: bereft.map((shard) => describeLoss(placements, shard, host)).join(', ') };
  const after = placements.map(({ primary, replica }) => {
    if (primary === host && replica !== null) return { primary: replica, replica: null };
    return { primary, replica: replica === host ? null : replica };
  });
  return shards.length > 0 ? { kind: 'promote', placements: after, shards } : { kind: 'keep', placements: after };
}

/** Where to put the replicas that are wanted but not there. */
export function missingReplicas(
  placements: readonly ShardPlacement[], hosts: readonly PlacementHost[], shardHosts: readonly ShardHostKind[], replicas: number,
): { readonly shard: number; readonly host: number }[] {
  return withReplicas(placements, hostsForShards(hosts, shardHosts), replicas)
    .flatMap(({ replica }, shard) => (replica !== null && replicaOf(placements, shard) === null ? { shard, host: replica } : []));
}

function withReplicas(placements: readonly ShardPlacement[], over: readonly PlacementHost[], replicas: number): ShardPlacement[] {
  const placed = [...placements];
  if (replicas === 0) return placed;
  for (const [shard, { primary, replica }] of placements.entries()) {
    if (replica === null) placed[shard] = { primary, replica: replicaHost(primary, over, placed) };
  }
  return placed;
}

/** Another machine before another host of the same one; then who has fewest replicas; then the next in turn. */
function replicaHost(primary: number, over: readonly PlacementHost[], placed: readonly ShardPlacement[]): number | null {
  const at = over.findIndex(({ host }) => host === primary);
  const machine = over[at]?.hostname;
  const inTurn = [...over.slice(at + 1), ...over.slice(0, Math.max(0, at))];
  const cost = ({ host, hostname }: PlacementHost): number =>
    (hostname === machine ? placed.length + 1 : 0) + placed.filter(({ replica }) => replica === host).length;
  return inTurn.sort((a, b) => cost(a) - cost(b))[0]?.host ?? null;
}

const replicaOf = (placements: readonly ShardPlacement[], shard: number): number | null => placements[shard]?.replica ?? null;

function describeLoss(placements: readonly ShardPlacement[], shard: number, host: number): string {
  const replica = replicaOf(placements, shard);
  return replica === null ? `shard ${shard} was on host ${host} alone` : `shard ${shard} was on host ${host}, and its replica on host ${replica} was behind`;
}
