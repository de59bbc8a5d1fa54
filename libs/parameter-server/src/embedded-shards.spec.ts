import { createServer } from 'node:net';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LockstepError } from '@lockstep/core';
import { nodesCovering, NORM_BLOCK, type TreeNode } from '@lockstep/reduction';
import { ExchangeClient, insecureClientCredentials } from '@lockstep/transport';
import { EmbeddedShards, type HostedShard } from './embedded-shards.ts';
import type { FinishedStep } from './shard.ts';
import { hashOf, SyntheticRun, type SyntheticRunOptions } from './testing/synthetic-run.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'shards-spec-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
  expect(readdirSync('/dev/shm').filter((name) => name.includes(`-${process.pid}-`))).toEqual([]);
});

interface HostOptions {
  readonly shards: number;
  readonly sharedMemory?: boolean;
  readonly snapshotEvery?: number;
  readonly listenOn?: (shard: number) => readonly string[];
}

/** Shards in threads of their own, with what they told. */
class Host implements AsyncDisposable {
  readonly shards: EmbeddedShards;
  readonly finished: FinishedStep[] = [];
  readonly snapshots: { readonly version: number; readonly hash: string }[] = [];
  readonly faults: LockstepError[] = [];
  readonly #done = Promise.withResolvers<void>();
  readonly #fault = Promise.withResolvers<LockstepError>();

  constructor(run: SyntheticRun, { shards, sharedMemory = true, snapshotEvery = 1, listenOn }: HostOptions) {
    const { totalLength, totalSteps } = run.options;
    const { range: _, ...plan } = run.plan();
    this.shards = new EmbeddedShards({
      plan, totalLength, shards, sharedMemory,
      listenOn: listenOn ?? ((shard) => [`unix:${join(directory, `${shards}-${shard}.sock`)}`, '127.0.0.1:0']),
      snapshots: { everyVersions: [snapshotEvery], lastVersion: totalSteps },
      onFinished: (finished) => this.finished.push(finished),
      onSnapshot: (version, parameters) => {
        this.snapshots.push({ version, hash: hashOf(parameters) });
        if (version === totalSteps) this.#done.resolve();
      },
      onFault: (error) => {
        this.faults.push(error);
        this.#fault.resolve(error);
      },
    });
  }

  /** Resolves when the run's last version is gathered. */
  get done(): Promise<void> {
    return this.#done.promise;
  }

  get fault(): Promise<LockstepError> {
    return this.#fault.promise;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shards.close();
  }
}

/** A worker without a model: its gradients are the run's, its parameters whatever the shards send. */
class SyntheticWorker implements Disposable {
  readonly #run: SyntheticRun;
  readonly #nodes: readonly TreeNode[];
  readonly #clients: readonly ExchangeClient[];
  readonly #hosted: readonly HostedShard[];
  readonly #lost = Promise.withResolvers<never>();
  /** By shard, the newest version that has arrived. */
  readonly #versions: number[];
  #changed = Promise.withResolvers<void>();

  constructor(run: SyntheticRun, hosted: readonly HostedShard[], rank: number, nodes: readonly TreeNode[], address: 0 | 1 = 0) {
    this.#run = run;
    this.#nodes = nodes;
    this.#hosted = hosted;
    this.#versions = hosted.map(() => -1);
    this.#lost.promise.catch(() => undefined);
    this.#clients = hosted.map(({ range, addresses }, shard) => {
      const parameters = new Float32Array(range.to - range.from);
      return new ExchangeClient({
        rank, address: addresses[address]!, credentials: insecureClientCredentials(), length: parameters.length,
        versions: { reserve: () => parameters, commit: (version) => this.#arrive(shard, version), abandon: () => undefined },
        onLost: (error) => this.#lost.reject(error),
      });
    });
  }

  async opened(): Promise<this> {
    await Promise.all(this.#clients.map(({ opened }) => opened));
    return this;
  }

  initialize(): void {
    this.#hosted.forEach(({ range }, shard) => this.#clients[shard]!.initialize(this.#run.initial.subarray(range.from, range.to)));
  }

  /** Every step of the run: version t from all shards, then the partials of step t to all shards. */
  async train(): Promise<void> {
    for (let step = 0; step < this.#run.options.totalSteps; step += 1) {
      while (this.#versions.some((version) => version < step)) await Promise.race([this.#changed.promise, this.#lost.promise]);
      this.#nodes.forEach((node, index) => this.push(step, node, (step % 2) * this.#nodes.length + index));
    }
  }

  push(step: number, node: TreeNode, slot: number): void {
    const { sum, tally } = this.#run.partial(step, node);
    this.#hosted.forEach(({ range }, shard) => this.#clients[shard]!.push({ step, node, tally, computeMs: 1 }, slot, sum.subarray(range.from, range.to)));
  }

  [Symbol.dispose](): void {
    for (const client of this.#clients) client.close();
  }

  #arrive(shard: number, version: number): void {
    this.#versions[shard] = version;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}

const OPTIONS: SyntheticRunOptions = {
  trainableLength: 3 * NORM_BLOCK + 50, totalLength: 4 * NORM_BLOCK + 9, microBatches: 8, totalSteps: 6, clipping: { value: null, globalNorm: 0.5 },
};
const run = new SyntheticRun(OPTIONS);

interface Cluster extends HostOptions {
  readonly workers: number;
  readonly address?: 0 | 1;
}

async function train({ workers, address, ...options }: Cluster, source = run): Promise<Pick<Host, 'snapshots' | 'finished'>> {
  await using host = new Host(source, options);
  const hosted = await host.shards.listening();
  const share = (rank: number): number => Math.floor((rank * source.options.microBatches) / workers);
  const team = await Promise.all(Array.from({ length: workers }, (_, rank) =>
    new SyntheticWorker(source, hosted, rank, nodesCovering(share(rank), share(rank + 1)), address).opened()));
  try {
    team[0]!.initialize();
    await Promise.race([Promise.all([host.done, ...team.map((worker) => worker.train())]), host.fault.then((error) => Promise.reject(error))]);
    expect(host.faults).toEqual([]);
    return host;
  } finally {
    for (const worker of team) worker[Symbol.dispose]();
  }
}

describe('shards in threads', () => {
  it('give the same versions for any number of shards and workers, by any way, clipped by the whole gradient\'s norm', async () => {
    const one = await train({ shards: 1, workers: 1 });
    expect(one.snapshots.map(({ version }) => version)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(new Set(one.snapshots.map(({ hash }) => hash)).size).toBe(7);
    expect(one.snapshots[0]?.hash).toBe(hashOf(run.initial));
    const clusters: readonly Cluster[] = [
      { shards: 1, workers: 2 },
      { shards: 3, workers: 3 },
      { shards: 2, workers: 3, sharedMemory: false, address: 1 },
    ];
    for (const cluster of clusters) expect((await train(cluster)).snapshots, JSON.stringify(cluster)).toEqual(one.snapshots);
  }, 60_000);

  it('tell of each step once, in order, with the exact tally, and copy the versions that were asked for', async () => {
    const { finished, snapshots } = await train({ shards: 2, workers: 2, snapshotEvery: 4 });
    expect(snapshots.map(({ version }) => version)).toEqual([0, 4, 6]);
    expect(finished.map(({ step }) => step)).toEqual([0, 1, 2, 3, 4, 5]);
    finished.forEach(({ step, tally, workers }) => {
      expect(tally).toEqual(run.partial(step, { level: 3, index: 0 }).tally);
      expect(workers.map(({ rank, microBatches }) => [rank, microBatches]).sort()).toEqual([[0, 4], [1, 4]]);
    });
  });

  it('work on chunks: vectors larger than a frame', async () => {
    const large = new SyntheticRun({ trainableLength: 300_000, totalLength: 300_001, microBatches: 2, totalSteps: 1 });
    const shared = await train({ shards: 1, workers: 2 }, large);
    expect((await train({ shards: 2, workers: 1, sharedMemory: false }, large)).snapshots).toEqual(shared.snapshots);
  });

  it('end with their threads when they are closed, whatever is under way, and twice', async () => {
    const host = new Host(run, { shards: 3 });
    const hosted = await host.shards.listening();
    using worker = await new SyntheticWorker(run, hosted, 0, [{ level: 0, index: 0 }]).opened();
    worker.initialize();
    await Promise.all([host.shards.close(), host.shards.close()]);
    expect(host.faults).toEqual([]);
  });

  it('say where they cannot listen, and end all the same', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const address = `127.0.0.1:${(taken.address() as { port: number }).port}`;
    await using host = new Host(run, { shards: 2, listenOn: (shard) => (shard === 1 ? [address] : ['127.0.0.1:0']) });
    await expect(host.shards.listening()).rejects.toMatchObject({ code: 'connection', message: expect.stringContaining(`cannot listen on ${address}`), hint: expect.stringContaining('another port') });
    expect(await host.fault).toMatchObject({ code: 'connection' });
    taken.close();
  });

  it('report a worker that breaks the protocol', async () => {
    await using host = new Host(run, { shards: 1 });
    const hosted = await host.shards.listening();
    using worker = await new SyntheticWorker(run, hosted, 4, []).opened();
    worker.push(3, { level: 0, index: 0 }, 0);
    expect(await host.fault).toMatchObject({ code: 'protocol', message: 'worker 4 sent step 3, the parameters have version -1' });
  });

  it('report a shard that does not fit into its thread, and still close', async () => {
    const { range: _, ...plan } = run.plan();
    const faults: LockstepError[] = [];
    const shards = new EmbeddedShards({
      plan, totalLength: 2 ** 33, shards: 1, listenOn: () => ['127.0.0.1:0'], sharedMemory: false,
      snapshots: { everyVersions: [], lastVersion: 1 }, onFinished: () => undefined, onSnapshot: () => undefined, onFault: (error) => faults.push(error),
    });
    await expect(shards.listening()).rejects.toMatchObject({ code: 'config', message: expect.stringContaining('do not fit'), hint: expect.stringContaining('more shards') });
    await shards.close();
    expect(faults[0]?.code).toBe('config');
  });
});
