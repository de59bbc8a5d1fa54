import fc from 'fast-check';
import { expect, it } from 'vitest';
import { afterHostLoss, hostsForShards, missingReplicas, placeShards, type PlacementHost, type ShardPlacement } from './placement.ts';

const host = (number: number, kind: PlacementHost['kind'], hostname = `m${number}`): PlacementHost => ({ host: number, kind, hostname });
const cluster = [host(0, 'coordinator'), host(1, 'worker'), host(2, 'worker', 'm1'), host(3, 'server')];
const inSync = (): boolean => true;

it.each([
  ['on the coordinator', { shardHosts: ['coordinator'], shards: 2, replicas: 0 }, [[0, null], [0, null]]],
  ['on workers in turn', { shardHosts: ['workers'], shards: 3, replicas: 0 }, [[1, null], [2, null], [1, null]]],
  ['mixed', { shardHosts: ['workers', 'servers'], shards: 3, replicas: 0 }, [[1, null], [2, null], [3, null]]],
  ['with replicas on other machines, evenly', { shardHosts: ['coordinator', 'workers', 'servers'], shards: 4, replicas: 1 }, [[0, 1], [1, 3], [2, 0], [3, 2]]],
  ['with replicas on another host of the same machine where there is no other', { shardHosts: ['workers'], shards: 2, replicas: 1 }, [[1, 2], [2, 1]]],
  ['without a replica where there is one host', { shardHosts: ['servers'], shards: 1, replicas: 1 }, [[3, null]]],
] as const)('places shards %s', (_, request, expected) => {
  expect(placeShards({ hosts: cluster, ...request })).toEqual(expected.map(([primary, replica]) => ({ primary, replica })));
});

it('falls back to the coordinator where no host of the wanted kinds is there', () => {
  expect(placeShards({ hosts: [host(0, 'coordinator'), host(1, 'worker')], shardHosts: ['servers'], shards: 2, replicas: 1 }))
    .toEqual([{ primary: 0, replica: null }, { primary: 0, replica: null }]);
});

const placements: readonly ShardPlacement[] = [{ primary: 1, replica: 2 }, { primary: 2, replica: 3 }, { primary: 3, replica: null }];
it.each([
  ['of none of them changes nothing', 7, inSync, { kind: 'keep', placements }],
  ['of a primary and a replica promotes the replica, drops the other', 2, inSync,
    { kind: 'promote', shards: [1], placements: [{ primary: 1, replica: null }, { primary: 3, replica: null }, { primary: 3, replica: null }] }],
  ['of a primary without a replica sends all back', 3, inSync, { kind: 'rollback', reason: 'shard 2 was on host 3 alone' }],
  ['of a primary whose replica was behind sends all back', 1, () => false, { kind: 'rollback', reason: 'shard 0 was on host 1, and its replica on host 2 was behind' }],
])('the loss of a host %s', (_, lost, sync, expected) => {
  expect(afterHostLoss(placements, lost, sync)).toEqual(expected);
});

it('the loss of a host with a replica alone keeps the primaries', () => {
  expect(afterHostLoss([{ primary: 1, replica: 2 }], 2, inSync)).toEqual({ kind: 'keep', placements: [{ primary: 1, replica: null }] });
});

it('finds hosts for replicas that are missing, as soon as there are any', () => {
  const alone = [{ primary: 3, replica: null }, { primary: 1, replica: 3 }];
  expect(missingReplicas(alone, cluster, ['workers', 'servers'], 1)).toEqual([{ shard: 0, host: 1 }]);
  expect(missingReplicas(alone, cluster, ['workers', 'servers'], 0)).toEqual([]);
  expect(missingReplicas(alone, [host(3, 'server')], ['servers'], 1)).toEqual([]);
});

it('never has a replica on its primary\'s host, nor a host with two shards more than another, nor a shard lost with one host', () => {
  const kinds = fc.constantFrom('coordinator' as const, 'worker' as const, 'server' as const);
  const hosts = fc.array(fc.record({ kind: kinds, hostname: fc.constantFrom('a', 'b', 'c') }), { minLength: 2, maxLength: 8 })
    .map((all) => all.map((one, number) => ({ ...one, host: number })));
  fc.assert(fc.property(hosts, fc.integer({ min: 1, max: 12 }), fc.nat(7), (all, shards, lost) => {
    const shardHosts = ['coordinator', 'workers', 'servers'] as const;
    const placed = placeShards({ hosts: all, shardHosts, shards, replicas: 1 });
    const counts = hostsForShards(all, shardHosts).map((one) => placed.filter(({ primary }) => primary === one.host).length);
    expect(placed).toHaveLength(shards);
    expect(placed.every(({ primary, replica }) => replica !== null && replica !== primary)).toBe(true);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    const after = afterHostLoss(placed, lost % all.length, inSync);
    if (after.kind === 'rollback') throw new Error(after.reason);
    expect(after.placements.every(({ primary, replica }) => primary !== lost % all.length && replica !== lost % all.length)).toBe(true);
  }), { seed: 1 });
});
