import { createServer } from 'node:net';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LockstepError } from '@lockstep/core';
import { nodesCovering, NORM_BLOCK } from '@lockstep/reduction';
import type { ShardEndpoint__Output } from '@lockstep/transport';
import { ShardHost, type ShardHostOptions } from './shard-host.ts';
import { partsOfState } from './shard-plan.ts';
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
