import { createServer } from 'node:net';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LockstepError } from '@lockstep/core';
import { nodesCovering, NORM_BLOCK } from '@lockstep/reduction';
import type { ShardEndpoint__Output } from '@lockstep/transport';
import { ShardHost, type ShardHostOptions } from './shard-host.ts';
import { partsOfState, stateLength } from './shard-plan.ts';
import { CommandingLink } from './testing/commanding-link.ts';
import { expectedVersions, hashesOf } from './testing/expected-versions.ts';
import { hashOf, SyntheticRun, type SyntheticRunOptions } from './testing/synthetic-run.ts';
import { SyntheticWorker } from './testing/synthetic-worker.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'shards-spec-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
  expect(readdirSync('/dev/shm').filter((name) => name.includes(`-${process.pid}-`))).toEqual([]);
});

let hosts = 0;

/** A host of shards in threads, the coordinator's end of its link, and how it ended. */
class Host implements AsyncDisposable {
  readonly host: ShardHost;
  readonly link: CommandingLink;
  readonly ends: (LockstepError | null)[] = [];
  readonly ended = Promise.withResolvers<void>();

  constructor(options: Partial<ShardHostOptions> = {}) {
    hosts += 1;
    const number = hosts;
    let link: CommandingLink | null = null;
    this.host = new ShardHost({
      kind: 'server', hostname: 'here', sharedMemory: true,
      listenOn: (generation, shard) => [`unix:${join(directory, `${number}-${generation}-${shard}.sock`)}`, '127.0.0.1:0'],
      connect: (events) => (link = new CommandingLink(events)),
      onEnd: (error) => {
        this.ends.push(error);
        this.ended.resolve();
      },
      ...options,
    });
    this.link = link!;
  }

  async welcome(): Promise<this> {
    await this.link.message('hello');
    return this;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.host.close();
  }
}

const OPTIONS: SyntheticRunOptions = {
  trainableLength: 3 * NORM_BLOCK + 50, totalLength: 4 * NORM_BLOCK + 9, microBatches: 8, totalSteps: 6, clipping: { value: null, globalNorm: 0.5 }, snapshotEvery: [2],
};
const run = new SyntheticRun(OPTIONS);
const expected = expectedVersions(run);

/** Starts `shards` shards dealt out over the hosts, and tells all of all. */
async function place(source: SyntheticRun, shards: number, over: readonly Host[], sharedMemory = true): Promise<ShardEndpoint__Output[]> {
  const endpoints = await Promise.all(Array.from({ length: shards }, (_, shard) => over[shard % over.length]!.link.startShard(source.plan(shard, shards), { sharedMemory })));
  for (const { link } of over) link.command({ peers: { generation: 0, shards: endpoints } });
  return endpoints;
}

function team(source: SyntheticRun, endpoints: readonly ShardEndpoint__Output[], workers: number, address: 'unixAddress' | 'tcpAddress' = 'unixAddress'): SyntheticWorker[] {
  const share = (rank: number): number => Math.floor((rank * source.options.microBatches) / workers);
  return Array.from({ length: workers }, (_, rank) => new SyntheticWorker({
    run: source, rank, ranges: endpoints, nodes: nodesCovering(share(rank), share(rank + 1)),
  }).connect(endpoints.map((endpoint) => endpoint[address])));
}

async function trained(workers: readonly SyntheticWorker[], version: number): Promise<void> {
  await Promise.all(workers.map((worker) => worker.reached(version)));
}

function expectExact(worker: SyntheticWorker, versions: readonly Float32Array[], ranges: readonly ShardEndpoint__Output[]): void {
  worker.versions.forEach((hashes, shard) => {
    const known = hashesOf(versions, ranges[shard]!);
    for (const [version, hash] of hashes) expect(hash, `version ${version} of shard ${shard}`).toBe(known.get(version));
  });
}

describe('shards in the threads of hosts', () => {
  it.each([
    { shards: 1, over: 1, workers: 1, sharedMemory: true, address: 'unixAddress' as const },
    { shards: 1, over: 1, workers: 3, sharedMemory: true, address: 'unixAddress' as const },
    { shards: 3, over: 2, workers: 3, sharedMemory: true, address: 'unixAddress' as const },
    { shards: 2, over: 1, workers: 2, sharedMemory: false, address: 'tcpAddress' as const },
  ])('give the same versions: %o', async ({ shards, over, workers: numWorkers, sharedMemory, address }) => {
    await using stack = new AsyncDisposableStack();
    const hosts = await Promise.all(Array.from({ length: over }, () => stack.use(new Host()).welcome()));
    const endpoints = await place(run, shards, hosts, sharedMemory);
    const workers = team(run, endpoints, numWorkers, address);
    for (const worker of workers) stack.use(worker);
    await trained(workers, 6);
    for (const worker of workers) expectExact(worker, expected, endpoints);
  });
});

describe('what a host tells its coordinator', () => {
  it('is each step once, in order, with the exact tally, the digests and who did what', async () => {
    await using host = await new Host().welcome();
    const endpoints = await place(run, 1, [host]);
    const workers = team(run, endpoints, 2);
    await trained(workers, 6);
    const steps = () => host.link.all('stepsFinished').flatMap((message) => message.steps ?? []);
    await host.link.until(() => steps().length >= 6);
    expect(steps().map(({ step }) => step)).toEqual([0, 1, 2, 3, 4, 5]);
    const root = { level: 3, index: 0 };
    for (const { step = -1, workers: shares = [], ...rest } of steps()) {
      expect(rest).toMatchObject({ ...run.partial(step, root).tally, learningRate: 0.01, digests: run.digests(step, root) });
      expect(shares.map(({ rank, microBatches }) => [rank, microBatches]).sort()).toEqual([[0, 4], [1, 4]]);
    }
    for (const worker of workers) worker[Symbol.dispose]();
  });

  it('is everything that is not acknowledged, again, when it comes back', async () => {
    await using host = await new Host().welcome();
    const { link } = host;
    const endpoints = await place(run, 1, [host]);
    link.command({ acknowledge: { stepsBefore: 0, snapshotsBefore: 0 } });
    link.disconnect();
    using worker = team(run, endpoints, 1)[0]!;
    await worker.reached(6);
    link.refuseBlocks = 1;
    link.messages.length = 0;
    link.connect();
    await link.message('snapshot', ({ version }) => version === 6);
    expect(link.all('hello')[0]?.rehost).toMatchObject({ runId: 'run', host: 3, shards: [{ generation: 0, shard: 0, role: 'primary', version: 6, unixAddress: endpoints[0]!.unixAddress }] });
    expect(link.all('snapshot').map(({ version }) => version)).toEqual([2, 4, 6]);
    expect(link.all('stepsFinished').flatMap((message) => message.steps ?? []).map(({ step }) => step)).toEqual([0, 1, 2, 3, 4, 5]);
    link.command({ acknowledge: { stepsBefore: 4, snapshotsBefore: 5 } });
    link.messages.length = 0;
    link.connect();
    await link.message('snapshot');
    expect(link.all('snapshot').map(({ version }) => version)).toEqual([6]);
    expect(link.all('stepsFinished').flatMap((message) => message.steps ?? []).map(({ step }) => step)).toEqual([4, 5]);
  }, 20_000);

  it('is its copies in the order of their versions, though it comes back while one is on its way', async () => {
    await using host = await new Host().welcome();
    const { link } = host;
    const endpoints = await place(run, 1, [host]);
    using worker = team(run, endpoints, 1)[0]!;
    await worker.reached(2);
    await link.message('snapshot', ({ version }) => version === 2);
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    link.gate = gate;
    await worker.reached(6);
    link.disconnect();
    link.messages.length = 0;
    link.connect();
    open();
    await link.message('snapshot', ({ version }) => version === 6);
    expect(link.all('snapshot').map(({ version }) => version)).toEqual([2, 4, 6]);
  });

  it('is the copies that the plan or a command asks for, whole', async () => {
    await using host = await new Host().welcome();
    const { link } = host;
    const endpoints = await place(run, 2, [host]);
    link.command({ snapshotAt: { version: 3 } });
    using worker = team(run, endpoints, 1)[0]!;
    await worker.reached(6);
    await link.until(() => link.all('snapshot').length >= 8);
    expect(link.all('snapshot').map(({ shard, version }) => `${shard}:${version}`).sort()).toEqual(['0:2', '0:3', '0:4', '0:6', '1:2', '1:3', '1:4', '1:6']);
    for (const { shard = 0, version = 0, state } of link.all('snapshot')) {
      const floats = new Float32Array(new Uint8Array(link.blocks.get(state!.sha256!)!).buffer);
      expect(hashOf(partsOfState(run.plan(shard, 2), floats).parameters)).toBe(hashesOf(expected, endpoints[shard]!).get(version));
    }
    link.command({ snapshotAt: { version: 1 } });
    const { message } = await link.message('note');
    expect(message).toContain('asked for a copy of version 1, it is at version 6');
  });

  it('is what the current step of each primary lacks', async () => {
    await using host = await new Host().welcome();
    const { link } = host;
    const endpoints = await place(run, 1, [host]);
    link.command({ coverage: { request: 1 } });
    expect((await link.message('coverage')).shards).toEqual([{ generation: 0, shard: 0, version: -1, missingMicroBatches: [], waitsFor: 'the initial parameters' }]);
    const pushed = Promise.withResolvers<void>();
    using worker = new SyntheticWorker({ run, rank: 0, ranges: endpoints, nodes: nodesCovering(0, 3), onPushed: (_, index) => index === 1 && pushed.resolve() });
    worker.connect(endpoints.map(({ unixAddress }) => unixAddress));
    await pushed.promise;
    for (let request = 2; ; request += 1) {
      link.command({ coverage: { request } });
      const { shards = [] } = await link.message('coverage', (coverage) => coverage.request === request);
      if (shards[0]!.missingMicroBatches!.length === 8) continue;
      expect([[3, 4, 5, 6, 7], [2, 3, 4, 5, 6, 7]]).toContainEqual(shards[0]!.missingMicroBatches);
      if (shards[0]!.missingMicroBatches!.length === 5) return;
    }
  });

  it('is that a shard failed where it cannot listen, or does not fit; the others go on', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const address = `127.0.0.1:${(taken.address() as { port: number }).port}`;
    await using host = await new Host({ listenOn: (_, shard) => (shard === 0 ? [address] : ['127.0.0.1:0']) }).welcome();
    const { link } = host;
    const start = (plan: object): void => link.command({ startShard: { generation: 0, shard: 0, role: 'primary', planJson: JSON.stringify(plan), start: null, startVersion: 0, sharedMemory: false } });
    start(run.plan());
    expect((await link.message('shardFailed')).failure).toMatchObject({ code: 'connection', message: expect.stringContaining(`cannot listen on ${address}`) as string });
    link.messages.length = 0;
    start({ ...run.plan(), range: { from: 0, to: 2 ** 33 }, totalLength: 2 ** 33 });
    expect((await link.message('shardFailed')).failure).toMatchObject({ code: 'config', hint: expect.stringContaining('more shards') as string });
    link.messages.length = 0;
    start({ ...run.plan(), microBatches: 'many' });
    expect((await link.message('shardFailed')).failure).toMatchObject({ code: 'protocol', message: expect.stringContaining('microBatches') as string });
    await link.startShard(run.plan(1, 2));
    taken.close();
  });

  it('is one line about a worker that breaks the protocol, which harms nobody', async () => {
    await using host = await new Host().welcome();
    const endpoints = await place(run, 1, [host]);
    using stranger = new SyntheticWorker({ run: new SyntheticRun({ ...OPTIONS, microBatches: 16 }), rank: 4, ranges: endpoints, nodes: [{ level: 0, index: 12 }] });
    using worker = team(run, endpoints, 1)[0]!;
    stranger.connect([endpoints[0]!.unixAddress]);
    expect((await host.link.message('note')).message).toContain('sent node (0, 12) of a tree over 8 micro-batches');
    await worker.reached(6);
    expectExact(worker, expected, endpoints);
    expect(host.link.all('shardFailed')).toEqual([]);
  });
});

describe('shards that go on from a state', () => {
  it.each([1, 3])('make the same bytes as those that never stopped (%i shards)', async (shards) => {
    await using first = await new Host().welcome();
    const before = await place(run, shards, [first]);
    using early = team(run, before, 1)[0]!;
    await early.reached(6);
    await first.link.until(() => first.link.all('snapshot').filter(({ version }) => version === 2).length === shards);
    await using second = await new Host().welcome();
    first.link.blocks.forEach((bytes, sha256) => second.link.blocks.set(sha256, bytes));
    const endpoints = await Promise.all(Array.from({ length: shards }, (_, shard) => {
      const { state } = first.link.all('snapshot').find((snapshot) => snapshot.version === 2 && snapshot.shard === shard)!;
      return second.link.startShard(run.plan(shard, shards), { generation: 1, start: { sha256: state!.sha256!, numBytes: state!.numBytes as number, path: '' }, startVersion: 2 });
    }));
    second.link.command({ peers: { generation: 1, shards: endpoints } });
    using worker = team(run, endpoints, 1)[0]!;
    await worker.reached(6);
    expect([...worker.versions[0]!.keys()][0]).toBe(2);
    expectExact(worker, expected, endpoints);
    await second.link.until(() => second.link.all('stepsFinished').flatMap((message) => message.steps ?? []).length === 4 * shards);
    expect(second.link.all('snapshot').some(({ version }) => version === 2)).toBe(false);
  });

  it('fail where the state is not theirs', async () => {
    await using host = await new Host().welcome();
    const reference = await host.link.putBlock([new Uint8Array(40)]);
    host.link.command({ startShard: { generation: 0, shard: 0, role: 'primary', planJson: JSON.stringify(run.plan()), start: reference, startVersion: 2, sharedMemory: true } });
    expect((await host.link.message('shardFailed')).failure?.message).toContain('the state of shard 0 has 40 bytes, expected');
  });
});

describe('a replica', () => {
  it('takes over from a host that is gone, with what the coordinator had not recorded', async () => {
    await using primary = await new Host().welcome();
    await using replica = await new Host().welcome();
    const state = new Float32Array(stateLength(run.plan()));
    state.set(run.initial);
    const start = await primary.link.putBlock([new Uint8Array(state.buffer)]);
    const endpoint = await primary.link.startShard(run.plan(), { start });
    const copy = await replica.link.startShard(run.plan(), { role: 'replica' });
    primary.link.command({ replicate: { generation: 0, shard: 0, to: copy } });
    await primary.link.message('replicaState', ({ inSync }) => inSync === true);
    primary.link.command({ snapshotAt: { version: 3 } });
    replica.link.command({ snapshotAt: { version: 3 } });
    const reached3 = Promise.withResolvers<void>();
    using worker = new SyntheticWorker({ run, rank: 0, ranges: [endpoint], nodes: nodesCovering(0, 8), onPushed: (step) => step === 3 && reached3.resolve() });
    worker.connect([endpoint.unixAddress]);
    await reached3.promise;
    await primary.host.close();
    replica.link.command({ promote: { generation: 0, shard: 0 } });
    worker.connect([copy.unixAddress]);
    await worker.reached(6);
    expectExact(worker, expected, [endpoint]);
    const steps = () => replica.link.all('stepsFinished').flatMap((message) => message.steps ?? []).map(({ step }) => step);
    await replica.link.until(() => steps().includes(5) && replica.link.all('snapshot').some(({ version }) => version === 6));
    expect(steps()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(replica.link.all('snapshot').map(({ version }) => version)).toEqual([2, 3, 4, 6]);
  });

  it('that dies leaves its primary to go on, and that is told', async () => {
    await using primary = await new Host().welcome();
    await using replica = await new Host().welcome();
    const [endpoint] = await place(run, 1, [primary]);
    const copy = await replica.link.startShard(run.plan(), { role: 'replica' });
    primary.link.command({ replicate: { generation: 0, shard: 0, to: copy } });
    const reached2 = Promise.withResolvers<void>();
    using worker = new SyntheticWorker({ run, rank: 0, ranges: [endpoint!], nodes: nodesCovering(0, 8), onPushed: (step) => step === 2 && reached2.resolve() });
    worker.connect([endpoint!.unixAddress]);
    await reached2.promise;
    await replica.host.close();
    await worker.reached(6);
    expectExact(worker, expected, [endpoint!]);
    expect((await primary.link.message('replicaState', ({ inSync }) => inSync === false)).reason).not.toBe('');
  });
});

describe('the end of a host', () => {
  it('comes at once when it is closed, whatever is under way, and twice', async () => {
    await using host = await new Host().welcome();
    const endpoints = await place(run, 3, [host]);
    using worker = team(run, endpoints, 1)[0]!;
    await worker.reached(1);
    await Promise.all([host.host.close(), host.host.close()]);
    expect(host.ends).toEqual([]);
    expect(host.link.isClosed).toBe(true);
    worker[Symbol.dispose]();
  });

  it('comes in order when it is told to finish, or refused', async () => {
    for (const [command, error] of [[{ finish: {} }, null], [{ refusal: { code: 'protocol', reason: 'another version' } }, { code: 'protocol', message: 'refused by the coordinator: another version' }]] as const) {
      await using host = await new Host().welcome();
      await place(run, 1, [host]);
      host.host.leave();
      expect(host.link.all('leave')).toHaveLength(1);
      host.link.command(command);
      await host.ended.promise;
      expect(host.ends).toEqual([error === null ? null : expect.objectContaining(error)]);
    }
  });

  it('of one shard is the end of its streams; a shard with its name can start after it', async () => {
    await using host = await new Host().welcome();
    const [endpoint] = await place(run, 1, [host]);
    using worker = team(run, [endpoint!], 1)[0]!;
    await worker.reached(6);
    host.link.command({ drop: { belowGeneration: 0, shardNumbers: [0] } });
    const again = await host.link.startShard(run.plan());
    expect(again.unixAddress).toBe(endpoint!.unixAddress);
    using late = team(run, [again], 1)[0]!;
    await late.reached(6);
    expectExact(late, expected, [again]);
    host.link.command({ drop: { belowGeneration: 1, shardNumbers: [] } });
    host.link.command({ coverage: { request: 9 } });
    expect((await host.link.message('coverage')).shards).toEqual([]);
  });
});

it('waits with a shard that has eight copies which nobody has recorded', async () => {
  const many = new SyntheticRun({ ...OPTIONS, totalSteps: 20, snapshotEvery: [1] });
  await using host = await new Host().welcome();
  const endpoints = await place(many, 1, [host]);
  const noReply = host.link.until((messages) => messages.some(({ snapshot }) => snapshot?.version === 8));
  using worker = team(many, endpoints, 1)[0]!;
  await noReply;
  await worker.reached(8);
  host.link.command({ coverage: { request: 1 } });
  host.link.command({ coverage: { request: 2 } });
  const { shards } = await host.link.message('coverage', ({ request }) => request === 2);
  expect(shards?.map(({ waitsFor }) => waitsFor)).toEqual(['its copies of versions 1, 2, 3, 4, 5, 6, 7, 8 to be recorded']);
  expect(Math.max(...worker.versions[0]!.keys())).toBe(8);
  host.link.command({ acknowledge: { stepsBefore: 0, snapshotsBefore: 5 } });
  await worker.reached(12);
  host.link.command({ acknowledge: { stepsBefore: 0, snapshotsBefore: 13 } });
  await worker.reached(20);
  expectExact(worker, expectedVersions(many), endpoints);
});
