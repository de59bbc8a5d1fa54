import { describe, expect, it } from 'vitest';
import { rankOf, type Capabilities } from '@lockstep/core';
import { withActive, withJoined, withLeaving, type Membership } from './membership.ts';
import { planRelays, ranksByHost } from './relays.ts';

const machine = (hostname: string): Capabilities => ({ engineBuild: 'tensorflow 2.21.0 cpu', device: 'cpu', gpuKind: null, instructionSet: 'AVX2', hostname, pid: 1 });

/** Active workers of these machines, in the order of their ranks. */
function workersOf(...hostnames: readonly string[]): Membership {
  return hostnames.reduce<Membership>((before, hostname) => {
    const { membership, rank } = withJoined(before, machine(hostname), 0);
    return withActive(membership, rank);
  }, []);
}

const relay = (hostname: string, rank: number, shards: readonly number[]) => ({ hostname, rank: rankOf(rank), shards });

describe('the relays of a cluster', () => {
  it('stand for the shards on other machines, where a machine has several workers', () => {
    expect(planRelays(workersOf('a', 'b', 'a', 'c', 'b'), ['a', 'c', 'a'], [])).toEqual([relay('a', 0, [1]), relay('b', 1, [0, 1, 2])]);
  });

  it.each([
    ['every worker has a machine of its own', ['a', 'b'], ['c']],
    ['all shards are where the workers are', ['a', 'a'], ['a', 'a']],
    ['there are no shards', ['a', 'a'], []],
    ['the host of a shard is lost', ['a', 'a'], ['a', '']],
  ])('are none where %s', (_, workers, shards) => {
    expect(planRelays(workersOf(...workers), shards, [])).toEqual([]);
  });

  it('stay where they are as long as their worker takes part', () => {
    const workers = workersOf('a', 'a', 'a');
    expect(planRelays(workers, ['b'], [relay('a', 1, [0])])).toEqual([relay('a', 1, [0])]);
    expect(planRelays(withLeaving(workers, rankOf(1)), ['b'], [relay('a', 1, [0])])).toEqual([relay('a', 0, [0])]);
  });
});

it('puts the workers of a machine next to each other', () => {
  expect(ranksByHost(withLeaving(workersOf('b', 'a', 'b', 'c', 'a', 'b'), rankOf(2)))).toEqual([0, 5, 1, 4, 3]);
});
