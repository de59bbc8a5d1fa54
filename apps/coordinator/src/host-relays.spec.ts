import { beforeEach, describe, expect, it } from 'vitest';
import { rankOf, type Capabilities, type Rank } from '@lockstep/core';
import { withActive, withJoined, withLost, type Membership } from '@lockstep/scheduling';
import type { CoordinatorMessage, PlacementMessage } from '@lockstep/transport';
import { HostRelays } from './host-relays.ts';

const machine = (hostname: string): Capabilities => ({ engineBuild: 'tensorflow 2.21.0 cpu', device: 'cpu', gpuKind: null, instructionSet: 'AVX2', hostname, pid: 1 });
const placement: PlacementMessage = {
  number: 1, generation: 4, token: 't', relayAddresses: [],
  shards: [0, 1].map((shard) => ({ unixAddress: '', tcpAddress: `10.0.0.9:${shard + 1}`, from: shard, to: shard + 1 })),
};

let membership: Membership;
let shardHostnames: string[];
let sent: [Rank, CoordinatorMessage][];
let rerouted: string[];
let relays: HostRelays;

function join(hostname: string): void {
  const joined = withJoined(membership, machine(hostname), 0);
  membership = withActive(joined.membership, joined.rank);
}

beforeEach(() => {
  [membership, shardHostnames, sent, rerouted] = [[], ['far', 'near'], [], []];
  for (const hostname of ['near', 'far', 'near']) join(hostname);
  relays = new HostRelays({
    sharedMemory: true, membership: () => membership, shardHostnames: () => shardHostnames,
    send: (rank, message) => sent.push([rank, message]), onRerouted: (hostname) => rerouted.push(hostname), onLog: () => undefined,
  });
  relays.place(4);
});

const asked = (shards: number[], generation = 4) => ({ relay: { generation, shards, sharedMemory: true } });
const ready = (rank: number, shards = [0], generation = 4): void => relays.ready(rankOf(rank), { generation, shards, unixAddresses: shards.map((shard) => `unix:/relay-${rank}-${shard}`) });
const addressesOf = (hostname: string, of = placement): readonly string[] => relays.routed(of, hostname).relayAddresses;

describe('the relays of a run', () => {
  it('are asked for once a step is made, and named to the workers of their machine once they listen', () => {
    expect(sent).toEqual([]);
    relays.begin();
    expect(sent).toEqual([[0, asked([0])]]);
    expect(addressesOf('near')).toEqual([]);
    ready(0);
    expect(rerouted).toEqual(['near']);
    expect(addressesOf('near')).toEqual(['unix:/relay-0-0', '']);
    expect(addressesOf('far')).toEqual([]);
  });

  it('make way for another where their worker is lost, and the others go to the shards meanwhile', () => {
    join('near');
    relays.begin();
    ready(0);
    membership = withLost(membership, rankOf(0), 'it broke', 1);
    relays.update();
    expect(rerouted).toEqual(['near', 'near']);
    expect(addressesOf('near')).toEqual([]);
    expect(sent.slice(1)).toEqual([[0, { relay: { generation: 4, shards: [] } }], [2, asked([0])]]);
    ready(2);
    expect(addressesOf('near')).toEqual(['unix:/relay-2-0', '']);
  });

  it('are asked anew where their worker has joined again', () => {
    relays.begin();
    ready(0);
    relays.repeat(rankOf(0));
    expect(addressesOf('near')).toEqual([]);
    expect(sent).toEqual([[0, asked([0])], [0, asked([0])]]);
    ready(0);
    expect(addressesOf('near')).toEqual(['unix:/relay-0-0', '']);
    relays.repeat(rankOf(2));
    expect(sent).toHaveLength(2);
  });

  it('change with the shards: none for one that has come to their machine', () => {
    relays.begin();
    ready(0);
    shardHostnames = ['near', 'far'];
    relays.place(4);
    expect(sent.slice(1)).toEqual([[0, { relay: { generation: 4, shards: [] } }], [0, asked([1])]]);
    ready(0);
    expect(addressesOf('near')).toEqual([]);
    ready(0, [1]);
    expect(addressesOf('near')).toEqual(['', 'unix:/relay-0-1']);
  });

  it('are of one generation: the next has none before its first step', () => {
    relays.begin();
    ready(0);
    relays.place(5);
    expect(addressesOf('near', { ...placement, generation: 5 })).toEqual([]);
    ready(0, [0], 4);
    expect(addressesOf('near', { ...placement, generation: 5 })).toEqual([]);
    relays.begin();
    expect(sent.at(-1)).toEqual([0, asked([0], 5)]);
  });

  it('are only those that were asked for', () => {
    relays.begin();
    ready(2);
    ready(0, [1]);
    expect(addressesOf('near')).toEqual([]);
  });
});
