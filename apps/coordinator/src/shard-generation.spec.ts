import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { clippingSchema, optimizerSchema } from '@lockstep/core';
import { BlockShelf, PROTOCOL_VERSION, type HostCommand, type HostConnection, type HostMessage__Output } from '@lockstep/transport';
import { HostGone } from './host-gone.ts';
import { HostRegistry } from './host-registry.ts';
import { ShardGeneration } from './shard-generation.ts';

const RANGE = { from: 0, to: 4 };
const optimizer = optimizerSchema.parse({ kind: 'sgd', learningRate: 0.1 });
const nothing = (): undefined => undefined;

/** A process that hosts shards: what it is commanded, and what a test has it say. */
class FakeHost {
  readonly commands: HostCommand[] = [];
  readonly #registry: HostRegistry;
  readonly #connection: HostConnection = { peer: '127.0.0.1:9', send: (command) => void this.commands.push(command), end: nothing };

  constructor(registry: HostRegistry) {
    this.#registry = registry;
    this.#say({ hello: { protocolVersion: PROTOCOL_VERSION, kind: 'server', hostname: 'h', pid: 1, rehost: null } });
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
    runId: 'run', token: 'token', nextHost: 1, failureDetectionMs: 60_000, onNumber: nothing, onPresent: nothing, onLeaving: nothing,
    onMessage: (host, message) => generation.take(host, message), onLost: ({ host }, reason) => generation.forsake(host, reason),
  });
  [primary, other] = [new FakeHost(registry), new FakeHost(registry)];
  generation = new ShardGeneration({
    plan: { trainableLength: 4, totalLength: 4, microBatches: 1, totalSteps: 9, stepsPerEpoch: 9, optimizer, clipping: clippingSchema.parse({}), wire: 'float32', snapshotEvery: [], checkpointEvery: null, onNonFinite: 'stop' },
    layout: { totalLength: 4, trainableLength: 4, entries: [] } as unknown as ConstructorParameters<typeof ShardGeneration>[0]['layout'],
    generation: 1, startVersion: 0, firstStep: 0, ranges: [RANGE], placements: [{ primary: 1, replica: null }], orphans: [], optimizer, hosts: registry, shelf: new BlockShelf(),
    sharedMemory: false, onFinished: nothing, onSnapshot: nothing, onInSync: nothing, onReplicaLost: nothing, onFailed: nothing,
  });
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
    expect(other.commands.some(({ drop }) => drop)).toBe(false);
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
