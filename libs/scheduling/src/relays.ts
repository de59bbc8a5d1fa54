import type { Rank } from '@lockstep/core';
import type { Membership } from './membership.ts';

/** The worker whose process adds up what the workers of its machine push, before it goes to shards on others. */
export interface Relay {
  readonly hostname: string;
  readonly rank: Rank;
  /** The shards that are not on this machine. */
  readonly shards: readonly number[];
}

/**
 * One relay for each machine on which several workers take part while shards are elsewhere: the one that is there already where it
 * still takes part, else the worker of the least rank. `shardHostnames` are of the machines that the shards are on, '' where that is not known.
 */
export function planRelays(membership: Membership, shardHostnames: readonly string[], current: readonly Relay[]): Relay[] {
  return [...activeByHost(membership)].flatMap(([hostname, ranks]) => {
    const shards = shardHostnames.flatMap((of, shard) => (of === hostname || of === '' ? [] : [shard]));
    if (ranks.length < 2 || shards.length === 0) return [];
    const known = current.find((relay) => relay.hostname === hostname)?.rank;
    const rank = ranks.find((each) => each === known) ?? ranks[0];
    return rank === undefined ? [] : [{ hostname, rank, shards }];
  });
}

/** The workers that steps are assigned to, those of a machine next to each other: so much of their sums is of the same subtrees. */
export const ranksByHost = (membership: Membership): Rank[] => [...activeByHost(membership).values()].flat();

/** Ranks ascend within a machine, and machines by their least rank. */
function activeByHost(membership: Membership): ReadonlyMap<string, readonly Rank[]> {
  const active = membership.filter(({ kind }) => kind === 'active');
  const byHost = Map.groupBy(active, ({ capabilities }) => capabilities.hostname);
  return new Map([...byHost].map(([hostname, members]) => [hostname, members.map(({ rank }) => rank)]));
}
