import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { clippingSchema, optimizerSchema } from '@lockstep/core';
import { BlockShelf, PROTOCOL_VERSION, type HostCommand, type HostConnection, type HostedShardMessage, type HostMessage__Output } from '@lockstep/transport';
import { HostGone } from './host-gone.ts';
import { HostRegistry } from './host-registry.ts';
import { ShardGeneration } from './shard-generation.ts';

const RANGE = { from: 0, to: 4 };
const optimizer = optimizerSchema.parse({ kind: 'sgd', learningRate: 0.1 });
const nothing = (): undefined => undefined;

/** A process that hosts shards: what it is commanded, and what a test has it say. */
class FakeHost {
  /** Those that came over its newest connection. */
  commands: HostCommand[] = [];
  readonly #registry: HostRegistry;
  #connection!: HostConnection;

  constructor(registry: HostRegistry) {
    this.#registry = registry;
    this.#connect(null);
  }

  /** Over a new connection, before it is seen that the old one is gone. */
  comesBack(shard: Partial<HostedShardMessage>): void {
    const hosted = { generation: 1, shard: 0, role: 'primary', version: 0, unixAddress: '', tcpAddress: '127.0.0.1:100', replicaAddress: '', ...shard };
    this.#connect({ runId: 'run', host: this.#number, shards: [hosted] });
  }

  get #number(): number {
    return this.commands.find(({ welcome }) => welcome)?.welcome?.host ?? -1;
  }

  #connect(rehost: NonNullable<HostMessage__Output['hello']>['rehost']): void {
    const commands: HostCommand[] = [];
    this.commands = commands;
    this.#connection = { peer: '127.0.0.1:9', send: (command) => void commands.push(command), end: nothing };
    this.#say({ hello: { protocolVersion: PROTOCOL_VERSION, kind: 'server', hostname: 'h', pid: 1, rehost } });
  }

  listens(port: number): void {
    this.#say({ shardReady: { generation: 1, shard: 0, unixAddress: '', tcpAddress: `127.0.0.1:${port}` } });
  }

  tellsOfReplica(inSync: boolean, port: number): void {
    this.#say({ replicaState: { generation: 1, shard: 0, inSync, reason: inSync ? '' : 'it broke', replicaAddress: `127.0.0.1:${port}` } });
  }

  /** The ports of the replicas that it was told to keep. */
  get replicas(): (number | null)[] {
    return this.commands.flatMap(({ replicate }) => (replicate ? [replicate.to ? Number(/\d+$/.exec(replicate.to.tcpAddress ?? '')) : null] : []));
  }

  die(): void {
    this.#registry.ended(this.#connection);
  }

  #say(message: Partial<HostMessage__Output>): void {
    this.#registry.message(this.#connection, message as HostMessage__Output);
  }
}

let registry: HostRegistry;
let generation: ShardGeneration;
let primary: FakeHost;
let other: FakeHost;

beforeEach(async () => {
  registry = new HostRegistry({
    runId: 'run', token: 'token', nextHost: 1, failureDetectionMs: 60_000, onNumber: nothing, onLeaving: nothing,
    onPresent: (host, shards) => generation.present(host, shards),
    onMessage: (host, message) => generation.take(host, message), onLost: ({ host }, reason) => generation.forsake(host, reason),
  });
  generation = new ShardGeneration({
    plan: { trainableLength: 4, totalLength: 4, microBatches: 1, totalSteps: 9, stepsPerEpoch: 9, optimizer, clipping: clippingSchema.parse({}), rates: [], wire: 'float32', parameterWire: 'float32', snapshotEvery: [], checkpointEvery: null, onNonFinite: 'stop' },
    layout: { totalLength: 4, trainableLength: 4, entries: [] } as unknown as ConstructorParameters<typeof ShardGeneration>[0]['layout'],
    generation: 1, startVersion: 0, firstStep: 0, ranges: [RANGE], placements: [{ primary: 1, replica: null }], orphans: [], optimizer, hosts: registry, shelf: new BlockShelf(),
    sharedMemory: false, onFinished: nothing, onSnapshot: nothing, onInSync: nothing, onReplicaLost: nothing, onFailed: nothing,
  });
  [primary, other] = [new FakeHost(registry), new FakeHost(registry)];
  const started = generation.startPrimaries(null);
  primary.listens(100);
  await started;
});
afterEach(() => registry.end(null));

describe('a shard that is copied to a host which has a replica of it already', () => {
  let copied: Promise<void>;
  beforeEach(async () => {
    const replica = generation.startReplica(0, 2);
    other.listens(200);
    await replica;
    copied = generation.copyTo(0, 2);
  });

  it('is copied though its primary tells, late, that the first replica has gone', async () => {
    primary.tellsOfReplica(false, 200);
    other.listens(201);
    await expect.poll(() => primary.replicas).toEqual([200, 201]);
    primary.tellsOfReplica(true, 200);
    expect(generation.places.canPromote(0)).toBe(false);
    primary.tellsOfReplica(true, 201);
    await copied;
    expect(generation.places.canPromote(0)).toBe(true);
    expect(other.commands.some(({ drop }) => drop?.shardNumbers?.length)).toBeFalsy();
  });

  it('is not where its primary goes before it is copied: nobody waits for that', async () => {
    other.listens(201);
    await expect.poll(() => primary.replicas).toEqual([200, 201]);
    primary.die();
    await expect(copied).rejects.toThrow(HostGone);
  });

  it('is not where the new replica breaks', async () => {
    other.listens(201);
    await expect.poll(() => primary.replicas).toEqual([200, 201]);
    primary.tellsOfReplica(false, 201);
    await expect(copied).rejects.toThrow(HostGone);
    expect(generation.places.placements).toEqual([{ primary: 1, replica: null }]);
  });
});

describe('a host that comes back by a new connection', () => {
  const replicaOnOther = async (): Promise<void> => {
    const replica = generation.startReplica(0, 2);
    other.listens(200);
    await replica;
  };

  it('is told again to take a shard over', async () => {
    await replicaOnOther();
    primary.tellsOfReplica(true, 200);
    generation.promote(0);
    other.comesBack({ role: 'replica', tcpAddress: '127.0.0.1:200' });
    expect(other.commands).toContainEqual({ promote: { generation: 1, shard: 0 } });
    expect(generation.places.hasAllOf(2)).toBe(true);
  });

  it('is told nothing of a shard that it has taken over', async () => {
    await replicaOnOther();
    generation.promote(0);
    other.comesBack({ role: 'primary', tcpAddress: '127.0.0.1:200' });
    expect(other.commands.filter(({ welcome }) => !welcome)).toEqual([{ drop: { belowGeneration: 1, shardNumbers: [] } }]);
  });

  it('ends a shard that another has taken over, though it was asked for a replica of it before', async () => {
    await replicaOnOther();
    generation.promote(0);
    const replica = generation.startReplica(0, 1);
    primary.comesBack({ role: 'primary' });
    await expect(replica).rejects.toThrow(HostGone);
    expect(primary.commands).toContainEqual({ drop: { belowGeneration: 1, shardNumbers: [0] } });
    expect(generation.places.hasAllOf(1)).toBe(false);
  });

  it('is told again of the replica that it is to keep, and not where it knows', async () => {
    await replicaOnOther();
    primary.comesBack({});
    expect(primary.replicas).toEqual([200]);
    primary.comesBack({ replicaAddress: '127.0.0.1:200' });
    expect(primary.replicas).toEqual([]);
  });

  it('is not taken for one that can take over, where its primary was in step with another', async () => {
    await replicaOnOther();
    primary.comesBack({ replicaAddress: '127.0.0.1:199' });
    primary.tellsOfReplica(true, 199);
    expect(generation.places.canPromote(0)).toBe(false);
    expect(primary.replicas).toEqual([200]);
    primary.tellsOfReplica(true, 199);
    expect(generation.places.canPromote(0)).toBe(false);
    primary.tellsOfReplica(true, 200);
    expect(generation.places.canPromote(0)).toBe(true);
  });

  it('does not have a shard any more that it was told to end, though it said before that this listens', async () => {
    await replicaOnOther();
    primary.comesBack({ role: 'primary', tcpAddress: '' });
    primary.listens(100);
    expect(generation.places.hasAllOf(1)).toBe(false);
    const restarted = generation.startPrimaries(null);
    primary.listens(101);
    await restarted;
    expect(generation.places.endpoints.map(({ tcpAddress }) => tcpAddress)).toEqual(['127.0.0.1:101']);
  });

  it('ends a replica that does not listen yet: it is asked for anew', async () => {
    const replica = generation.startReplica(0, 2);
    other.comesBack({ role: 'replica', version: -1, tcpAddress: '' });
    await expect(replica).rejects.toThrow(HostGone);
    expect(other.commands).toContainEqual({ drop: { belowGeneration: 1, shardNumbers: [0] } });
  });
});
