import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rankOf, runSchema, type Capabilities, type LockstepError, type Rank, type WorkerEvent } from '@lockstep/core';
import { BlockShelf, ControlClient, ControlServer, insecureClientCredentials, insecureServerCredentials, PROTOCOL_VERSION, type CoordinatorMessage__Output, type EvaluationPartMessage, type FinishedStep, type HostPort, type PlacementMessage, type WorkerMessage } from '@lockstep/transport';
import { WorkerRegistry, type KnownRun, type RunTerms } from './worker-registry.ts';

const machine: Capabilities = { engineBuild: 'tensorflow 2.21.0 cpu', device: 'cpu', gpuKind: null, instructionSet: 'AVX512_CORE', hostname: 'a', pid: 11 };
const parameters = [{ name: 'dense/kernel', shape: [2, 3], kind: 'trainable' }, { name: 'norm/mean', shape: [3], kind: 'buffer' }];
const topologyJson = '{"class_name":"Sequential"}';
const config = runSchema.parse({});
const terms: RunTerms = { config, bundle: { source: 'export default 1', sha256: 'ab' }, dataset: { sha256: 'cd', numBytes: 5, path: '/data' } };

const placement: PlacementMessage = { number: 1, generation: 1, shards: [{ unixAddress: 'unix:/s', tcpAddress: '127.0.0.1:1', from: 0, to: 9 }], token: 't', relayAddresses: [] };
const newRun: KnownRun = { runId: 'run-1', nextRank: 0, model: null };

const step: FinishedStep = { step: 7, numExamples: 8, numCorrect: 4, lossSum: 1, numNonFinite: 0, learningRate: 1, workers: [], digests: [], atMs: 0 };

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'registry-spec-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const noHosts: HostPort = { message: () => undefined, ended: () => undefined };
type Rejoin = NonNullable<NonNullable<WorkerMessage['hello']>['rejoin']>;

/** A worker as the coordinator meets it: over gRPC, saying what a test wants it to. */
class Peer {
  readonly messages: CoordinatorMessage__Output[] = [];
  numHeartbeats = 0;
  readonly client: ControlClient;
  readonly #ended = Promise.withResolvers<LockstepError | null>();
  #changed = Promise.withResolvers<void>();

  constructor(address: string, first: WorkerMessage) {
    this.client = new ControlClient({
      address, credentials: insecureClientCredentials(), hello: () => first,
      onMessage: (message) => {
        if (message.heartbeat) this.numHeartbeats += 1;
        else this.messages.push(message);
        this.#changed.resolve();
        this.#changed = Promise.withResolvers<void>();
      },
      onBroken: () => this.client.close(),
      onEnd: (error) => this.#ended.resolve(error),
    });
  }

  get ended(): Promise<LockstepError | null> {
    return this.#ended.promise;
  }

  ready(specs = parameters): this {
    this.client.send({ modelReady: { parameters: specs, topologyJson } });
    return this;
  }

  /** The next kind of message that is not a heartbeat. */
  async received<K extends 'welcome' | 'refusal' | 'placement' | 'assignment' | 'finish'>(kind: K): Promise<NonNullable<CoordinatorMessage__Output[K]>> {
    for (;;) {
      const found = this.messages.find((message) => message.message === kind);
      if (found !== undefined) return found[kind]!;
      await this.#changed.promise;
    }
  }
}

function hello(capabilities: Partial<Capabilities> = {}, protocolVersion = PROTOCOL_VERSION, rejoin: Rejoin | null = null): WorkerMessage {
  const { gpuKind, ...rest } = { ...machine, ...capabilities };
  return { hello: { protocolVersion, capabilities: { ...rest, gpuKind: gpuKind ?? '' }, rejoin } };
}

type Change = Parameters<ConstructorParameters<typeof WorkerRegistry>[0]['onChange']>[0];

class Cluster implements AsyncDisposable {
  readonly events: WorkerEvent[] = [];
  readonly waiting: string[] = [];
  readonly parts: EvaluationPartMessage[] = [];
  readonly failures: LockstepError[] = [];
  readonly changes: Change[] = [];
  readonly given: Rank[] = [];
  readonly registry: WorkerRegistry;
  readonly #failed = Promise.withResolvers<LockstepError>();
  #changed = Promise.withResolvers<void>();
  readonly #control: ControlServer;
  readonly #peers: Peer[] = [];
  #address = '';

  private constructor(minWorkers: number, failureDetectionMs: number, known: KnownRun) {
    this.registry = new WorkerRegistry({
      known, minWorkers, failureDetectionMs, numerics: config.numerics,
      onEvent: (event) => this.events.push(event),
      onWaiting: (reason) => this.waiting.push(reason),
      onPart: (part) => this.parts.push(part),
      onFrozen: () => undefined,
      onRank: (rank) => this.given.push(rank),
      routed: (placement) => placement,
      onRelay: () => undefined,
      onChange: (change) => {
        this.changes.push(change);
        this.#changed.resolve();
        this.#changed = Promise.withResolvers<void>();
      },
      onFailure: (error) => {
        this.failures.push(error);
        this.#failed.resolve(error);
      },
    });
    this.#control = new ControlServer({ membership: this.registry, hosts: noHosts, shelf: new BlockShelf(), credentials: insecureServerCredentials(), onNote: () => undefined });
  }

  static async start({ minWorkers = 2, failureDetectionMs = 60_000, open = true, known = newRun as KnownRun } = {}): Promise<Cluster> {
    const cluster = new Cluster(minWorkers, failureDetectionMs, known);
    [cluster.#address = ''] = await cluster.#control.listen([`unix:${join(directory, 'c.sock')}`]);
    if (open) cluster.registry.open(terms);
    return cluster;
  }

  get failed(): Promise<LockstepError> {
    return this.#failed.promise;
  }

  /** Resolves once a change of the members is told. */
  async changed(change: Change): Promise<void> {
    while (!this.changes.some((told) => JSON.stringify(told) === JSON.stringify(change))) await this.#changed.promise;
  }

  peer(first: WorkerMessage = hello()): Peer {
    const peer = new Peer(this.#address, first);
    this.#peers.push(peer);
    return peer;
  }

  /** Workers that have been welcomed, in rank order. */
  async welcomed(count: number): Promise<readonly Peer[]> {
    const peers = Array.from({ length: count }, () => this.peer());
    const ranks = await Promise.all(peers.map(async (peer) => (await peer.received('welcome')).rank));
    return peers.map((peer, index) => ({ peer, rank: ranks[index]! })).sort((a, b) => a.rank - b.rank).map(({ peer }) => peer);
  }

  async started(count: number): Promise<readonly Peer[]> {
    const peers = await this.welcomed(count);
    peers.forEach((peer) => peer.ready());
    await this.registry.started;
    return peers;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.registry.end(null);
    for (const { client } of this.#peers) client.close();
    await this.#control.close(0);
  }
}

describe('joining', () => {
  it('welcomes workers on the run\'s terms as soon as enough are there', async () => {
    await using cluster = await Cluster.start({ minWorkers: 3 });
    const peers = await cluster.welcomed(3);
    const welcomes = await Promise.all(peers.map((peer) => peer.received('welcome')));
    expect(welcomes.map(({ rank }) => rank)).toEqual([0, 1, 2]);
    for (const welcome of welcomes) {
      expect(welcome).toMatchObject({ configJson: JSON.stringify(config), numericsJson: JSON.stringify(cluster.registry.numerics), dataset: terms.dataset, modelBundle: 'export default 1', modelBundleSha256: 'ab' });
    }
    expect(cluster.waiting).toEqual(['0 of 3 workers have joined', '1 of 3 workers have joined', '2 of 3 workers have joined']);
  });

  it('keeps workers waiting until the run\'s data is there', async () => {
    await using cluster = await Cluster.start({ minWorkers: 1, open: false });
    const peer = cluster.peer();
    const before = cluster.peer(hello({}, 99));
    await before.received('refusal');
    expect(peer.messages).toEqual([]);
    cluster.registry.open(terms);
    expect((await peer.received('welcome')).rank).toBe(0);
  });

  it('chooses the numerics that all of the first workers have, and refuses a later one that cannot', async () => {
    await using cluster = await Cluster.start({ minWorkers: 2 });
    const first = [cluster.peer(hello({ instructionSet: 'AVX512_CORE' })), cluster.peer(hello({ instructionSet: 'AVX2' }))];
    await Promise.all(first.map((peer) => peer.received('welcome')));
    expect(cluster.registry.numerics).toMatchObject({ instructionSet: 'AVX2', engineBuild: machine.engineBuild, device: 'cpu', gpuKind: null });
    const weak = cluster.peer(hello({ instructionSet: 'AVX', hostname: 'old', pid: 12 }));
    expect(await weak.received('refusal')).toEqual({ code: 'numerics', reason: 'worker old (pid 12) has at most instruction set AVX where the run has AVX2' });
    expect(await weak.ended).toMatchObject({ code: 'numerics' });
    const other = cluster.peer(hello({ engineBuild: 'tensorflow 2.9.1 cpu' }));
    expect((await other.received('refusal')).reason).toContain("engineBuild 'tensorflow 2.9.1 cpu' where the run has 'tensorflow 2.21.0 cpu'");
    expect(cluster.failures).toEqual([]);
  });

  it('ends the run when the workers that must be there cannot give the same bits', async () => {
    await using cluster = await Cluster.start({ minWorkers: 2 });
    cluster.peer();
    cluster.peer(hello({ device: 'gpu', gpuKind: 'H100' }));
    expect(await cluster.failed).toMatchObject({ code: 'numerics', message: expect.stringContaining('the workers cannot give the same bits') });
  });

  it.each<[string, WorkerMessage, string, string]>([
    ['speaks another version of the protocol', hello({}, 1), 'protocol', `it speaks version 1 of the protocol, expected ${PROTOCOL_VERSION}`],
    ['does not say what it can do', { hello: { protocolVersion: PROTOCOL_VERSION } }, 'protocol', 'it does not say what it can do'],
    ['does not say hello first', { modelReady: { parameters, topologyJson } }, 'protocol', 'a worker must say hello first'],
    ['belongs to another run', hello({}, PROTOCOL_VERSION, { runId: 'run-2', rank: 0 }), 'usage', 'it belongs to another run than the one that is coordinated here now'],
    ['claims a rank that nobody got', hello({}, PROTOCOL_VERSION, { runId: 'run-1', rank: 3 }), 'protocol', 'rank 3 was never given'],
  ])('refuses one that %s', async (_, first, code, reason) => {
    await using cluster = await Cluster.start();
    const peer = cluster.peer(first);
    expect(await peer.received('refusal')).toEqual({ code, reason });
    expect(await peer.ended).not.toBeNull();
    expect(cluster.events).toEqual([]);
    expect(cluster.failures).toEqual([]);
  });

  it('welcomes a worker that comes when the run has started, and tells it where the shards are once it has built the model', async () => {
    await using cluster = await Cluster.start({ minWorkers: 2 });
    await cluster.started(2);
    cluster.registry.announce(placement);
    const late = cluster.peer();
    expect((await late.received('welcome')).rank).toBe(2);
    expect(cluster.registry.ranks).toEqual([0, 1]);
    late.ready();
    expect(await late.received('placement')).toEqual(placement);
    expect(cluster.registry.ranks).toEqual([0, 1, 2]);
    expect(cluster.changes.at(-1)).toEqual({ joined: 2 });
    expect(cluster.given).toEqual([0, 1, 2]);
  });
});

describe('a worker that was a member before', () => {
  it('comes back under its rank, also after the coordinator began anew', async () => {
    await using cluster = await Cluster.start({ minWorkers: 1, known: { ...newRun, nextRank: 5 } });
    const back = cluster.peer(hello({}, PROTOCOL_VERSION, { runId: 'run-1', rank: 3 }));
    expect(await back.received('welcome')).toMatchObject({ rank: 3, runId: 'run-1' });
    const other = cluster.peer();
    expect((await other.received('welcome')).rank).toBe(5);
    expect(cluster.given).toEqual([5]);
  });

  it('gives its old connection up, which is no loss', async () => {
    await using cluster = await Cluster.start({ minWorkers: 1 });
    await cluster.started(1);
    const again = cluster.peer(hello({}, PROTOCOL_VERSION, { runId: 'run-1', rank: 0 }));
    await again.received('welcome');
    again.ready();
    await cluster.changed({ joined: rankOf(0) });
    expect(cluster.events.map(({ state }) => state)).not.toContain('lost');
  });

  it('must have built the model that the run began with', async () => {
    const specs = [{ name: 'dense/kernel', shape: [9, 9], kind: 'trainable' as const }];
    await using first = await Cluster.start({ minWorkers: 1 });
    await first.started(1);
    const { numerics } = first.registry;
    await first[Symbol.asyncDispose]();
    await using cluster = await Cluster.start({ minWorkers: 1, known: { ...newRun, nextRank: 1, model: { specs, topology: {}, frozenSha256: '', numerics } } });
    const [peer] = await cluster.welcomed(1);
    peer!.ready();
    expect(await cluster.failed).toMatchObject({ code: 'config', message: expect.stringContaining('other tensors than the run began with') });
  });
});

describe('starting', () => {
  it('waits until all that joined have built the model', async () => {
    await using cluster = await Cluster.start({ minWorkers: 2 });
    const [first, second, third] = await cluster.welcomed(3);
    first!.ready();
    second!.ready();
    let started = false;
    void cluster.registry.started.then(() => (started = true));
    await cluster.peer(hello({}, 9)).received('refusal');
    expect(started).toBe(false);
    third!.ready();
    expect(await cluster.registry.started).toEqual({
      specs: [{ name: 'dense/kernel', shape: [2, 3], kind: 'trainable' }, { name: 'norm/mean', shape: [3], kind: 'buffer' }], topology: { class_name: 'Sequential' }, frozenSha256: '',
    });
    expect(cluster.registry.ranks).toEqual([0, 1, 2]);
    expect(cluster.events.filter(({ state }) => state === 'training').map(({ rank }) => rank)).toEqual([0, 1, 2]);
  });

  it('ends the run when a worker builds another model', async () => {
    await using cluster = await Cluster.start({ minWorkers: 2 });
    const [first, second] = await cluster.welcomed(2);
    first!.ready();
    await cluster.peer(hello({}, 9)).received('refusal');
    second!.ready([{ name: 'dense/kernel', shape: [3, 2], kind: 'trainable' }]);
    expect(await cluster.failed).toMatchObject({ code: 'config', message: expect.stringMatching(/^worker \d \(a, process 11\): it built a model with other tensors than worker 0/) });
  });

  it('tells all where the shards are', async () => {
    await using cluster = await Cluster.start({ minWorkers: 3 });
    const peers = await cluster.started(3);
    cluster.registry.announce(placement);
    expect(await Promise.all(peers.map((peer) => peer.received('placement')))).toEqual([placement, placement, placement]);
  });
});

describe('losing a worker', () => {
  it('takes a broken connection at once', async () => {
    await using cluster = await Cluster.start({ minWorkers: 2 });
    const peers = await cluster.started(2);
    peers[1]!.client.close();
    await cluster.changed({ lost: rankOf(1) });
    expect(cluster.registry.ranks).toEqual([0]);
    expect(cluster.events.at(-1)).toMatchObject({ rank: 1, state: 'lost', reason: 'its connection broke' });
    expect(cluster.failures).toEqual([]);
  });

  it('takes silence, from the failure-detection time on', async () => {
    await using cluster = await Cluster.start({ minWorkers: 1, failureDetectionMs: 200 });
    const startedMs = performance.now();
    await cluster.started(1);
    await cluster.changed({ lost: rankOf(0) });
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(200);
    expect(cluster.events.at(-1)).toMatchObject({ rank: 0, state: 'lost', reason: expect.stringMatching(/^silent for \d+\.\d s$/) });
  });

  it('does not take a worker that keeps sending heartbeats', async () => {
    await using cluster = await Cluster.start({ minWorkers: 2, failureDetectionMs: 800 });
    const [alive] = await cluster.started(2);
    const beat = setInterval(() => alive!.client.send({ heartbeat: { step: 0 } }), 20);
    await cluster.changed({ lost: rankOf(1) });
    clearInterval(beat);
    expect(cluster.registry.ranks).toEqual([0]);
  });

  it('takes a part in a step for a sign of life, and asks only who had none', async () => {
    await using cluster = await Cluster.start({ minWorkers: 2, failureDetectionMs: 800 });
    const [, silent] = await cluster.started(2);
    const steps = setInterval(() => cluster.registry.finished({ ...step, workers: [{ rank: 0, microBatches: 1, computeMs: 1 }] }), 20);
    await cluster.changed({ lost: rankOf(1) });
    clearInterval(steps);
    expect(cluster.registry.ranks).toEqual([0]);
    expect(silent!.numHeartbeats).toBeGreaterThan(1);
    expect(cluster.registry.leastStep).toBe(7);
  });

  it('takes its own word for what only it cannot do, and goes on', async () => {
    await using cluster = await Cluster.start({ minWorkers: 2 });
    const peers = await cluster.started(2);
    peers[1]!.client.send({ failure: { code: 'connection', message: 'shard 0 cannot be reached', hint: '' } });
    await cluster.changed({ lost: rankOf(1) });
    expect(cluster.failures).toEqual([]);
  });

  it('takes what it says itself, with its code and hint', async () => {
    await using cluster = await Cluster.start({ minWorkers: 1 });
    const [peer] = await cluster.started(1);
    peer!.client.send({ failure: { code: 'non-finite', message: 'step 3, micro-batch 4: the loss is NaN', hint: 'lower the rate' } });
    peer!.client.close();
    expect(await cluster.failed).toMatchObject({ code: 'non-finite', message: 'worker 0 (a, process 11): step 3, micro-batch 4: the loss is NaN', hint: 'lower the rate' });
    expect(cluster.failures).toHaveLength(1);
  });
});

describe('leaving', () => {
  it('is told, and the worker is let go when it may', async () => {
    await using cluster = await Cluster.start({ minWorkers: 2 });
    const peers = await cluster.started(2);
    peers[1]!.client.send({ leave: {} });
    await cluster.changed({ leaving: rankOf(1) });
    // It still has a part of the step, which a shard that moves meanwhile needs.
    cluster.registry.announce(placement);
    expect(await peers[1]!.received('placement')).toEqual(placement);
    expect(cluster.registry.ranks).toEqual([0]);
    expect(peers[1]!.messages.some(({ message }) => message === 'finish')).toBe(false);
    cluster.registry.release(rankOf(1));
    expect(await peers[1]!.ended).toBeNull();
    expect(cluster.events.at(-1)).toMatchObject({ rank: 1, state: 'left' });
    expect(cluster.changes).not.toContainEqual({ lost: 1 });
  });
});

describe('the end', () => {
  it('tells all workers to finish, and what they do then is no failure', async () => {
    await using cluster = await Cluster.start({ minWorkers: 2, failureDetectionMs: 200 });
    const peers = await cluster.started(2);
    cluster.registry.end(null);
    await Promise.all(peers.map((peer) => peer.received('finish')));
    expect(await Promise.all(peers.map(({ ended }) => ended))).toEqual([null, null]);
    expect(cluster.failures).toEqual([]);
  });

  it('is told to a worker that comes after it, which does not join any more', async () => {
    await using cluster = await Cluster.start({ minWorkers: 1 });
    await cluster.started(1);
    cluster.registry.end(null);
    const late = cluster.peer();
    await late.received('finish');
    expect(await late.ended).toBeNull();
    expect(cluster.events.map(({ rank }) => rank)).not.toContain(1);
  });

  it('hands on results in the order that they come', async () => {
    await using cluster = await Cluster.start({ minWorkers: 1 });
    const [peer] = await cluster.started(1);
    for (const part of [2, 0, 1]) peer!.client.send({ evaluationPart: { evaluation: 0, part, lossSum: part, numCorrect: 1, probabilities: Buffer.alloc(0) } });
    peer!.client.send({ failure: { code: 'engine', message: 'that was all', hint: '' } });
    await cluster.failed;
    expect(cluster.parts.map(({ part }) => part)).toEqual([2, 0, 1]);
  });
});
