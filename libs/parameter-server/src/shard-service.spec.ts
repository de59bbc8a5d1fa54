import { mkdtempSync, rmSync } from 'node:fs';
import { connect as connectSocket, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { leafOf, nodesCovering, NORM_BLOCK } from '@lockstep/reduction';
import type { ShardEndpoint__Output } from '@lockstep/transport';
import { PIECE_FLOATS } from './shard-piece.ts';
import { CuttableProxy } from './testing/cuttable-proxy.ts';
import { expectedVersions, hashesOf } from './testing/expected-versions.ts';
import { StartedService } from './testing/started-service.ts';
import { SyntheticRun } from './testing/synthetic-run.ts';
import { SyntheticWorker, type SyntheticWorkerOptions } from './testing/synthetic-worker.ts';

let directory: string;
let sockets = 0;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'service-spec-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

const socket = (): string => `unix:${join(directory, `${(sockets += 1)}.sock`)}`;

const MICRO_BATCHES = 4;
const STEPS = 4;
const leaves = Array.from({ length: MICRO_BATCHES }, (_, index) => leafOf(index));
const small = new SyntheticRun({ trainableLength: 90, totalLength: 100, microBatches: MICRO_BATCHES, totalSteps: STEPS, clipping: { value: null, globalNorm: 0.5 }, rates: [{ from: 7, to: 41, factor: 0.5 }] });
const expectedSmall = expectedVersions(small);
const large = new SyntheticRun({ ...small.options, trainableLength: 2 * NORM_BLOCK + 50, totalLength: 3 * NORM_BLOCK + 9 });
const expectedLarge = expectedVersions(large);

function expectExact(worker: SyntheticWorker, versions: readonly Float32Array[], endpoints: readonly ShardEndpoint__Output[]): void {
  worker.versions.forEach((hashes, shard) => {
    const known = hashesOf(versions, endpoints[shard]!);
    for (const [version, hash] of hashes) expect(hash, `version ${version} of shard ${shard}`).toBe(known.get(version));
  });
}

const soloWorker = (run: SyntheticRun, endpoints: readonly ShardEndpoint__Output[], onPushed?: SyntheticWorkerOptions['onPushed']): SyntheticWorker =>
  new SyntheticWorker({ run, rank: 0, ranges: endpoints, nodes: leaves, ...(onPushed && { onPushed }) }).connect(endpoints.map(({ unixAddress }) => unixAddress));

/** Calls `act` so many turns of the event loop later. */
function afterTurns(turns: number, act: () => void): void {
  if (turns === 0) act();
  else setImmediate(() => afterTurns(turns - 1, act));
}

/** A pair of primary and replica that are in sync at version 0. */
async function startPair(run: SyntheticRun, shard = 0, shards = 1): Promise<{ readonly primary: StartedService; readonly replica: StartedService }> {
  const primary = await StartedService.start(run, socket(), { shard, shards });
  const replica = await StartedService.start(run, socket(), { shard, shards, role: 'replica' });
  primary.service.take({ kind: 'replicate', to: replica.endpoint });
  await primary.message('replica-state', ({ inSync }) => inSync);
  return { primary, replica };
}

/** Moments of a step: after each of its partials is pushed, and so many turns of the event loop later. */
const MOMENTS = leaves.flatMap((_, index) => [0, 1, 2, 3, 4, 6, 8, 11, 15, 20, 27, 36].map((turns) => ({ index, turns })));

describe('a primary that dies at any moment of a step', () => {
  it('leaves a replica that goes on to the same bytes', async () => {
    for (const { index, turns } of MOMENTS) {
      const { primary, replica } = await startPair(small);
      using worker = soloWorker(small, [primary.endpoint], (step, pushed) => {
        if (step !== 1 || pushed !== index) return;
        afterTurns(turns, () => {
          void primary.service.close();
          replica.service.take({ kind: 'promote' });
          worker.connect([replica.endpoint.unixAddress]);
        });
      });
      await worker.reached(STEPS);
      expectExact(worker, expectedSmall, [primary.endpoint]);
      expect([...worker.versions[0]!.keys()]).toEqual([0, 1, 2, 3, 4]);
      const steps = replica.messages.flatMap((message) => (message.kind === 'finished' ? message.steps : []));
      expect(steps.map(({ step }) => step)).toEqual([...new Set(steps.map(({ step }) => step))]);
      await replica.service.close();
    }
  }, 60_000);

  it('does so where the step waits for the norms of other shards', async () => {
    for (const { index, turns } of MOMENTS.filter((_, moment) => moment % 2 === 0)) {
      const { primary, replica } = await startPair(large, 0, 2);
      const other = await StartedService.start(large, socket(), { shard: 1, shards: 2 });
      const tellPeers = (first: StartedService): void => {
        for (const each of [first, other]) each.service.take({ kind: 'peers', endpoints: [first.endpoint, other.endpoint] });
      };
      tellPeers(primary);
      using worker = soloWorker(large, [primary.endpoint, other.endpoint], (step, pushed) => {
        if (step !== 1 || pushed !== index) return;
        afterTurns(turns, () => {
          void primary.service.close();
          replica.service.take({ kind: 'promote' });
          tellPeers(replica);
          worker.connect([replica.endpoint.unixAddress, other.endpoint.unixAddress]);
        });
      });
      await worker.reached(STEPS);
      expectExact(worker, expectedLarge, [primary.endpoint, other.endpoint]);
      await Promise.all([replica.service.close(), other.service.close()]);
    }
  }, 60_000);

  it('leaves a replica that gives another shard the norms which were on their way to it', async () => {
    const { primary, replica } = await startPair(large, 0, 2);
    await using other = await StartedService.start(large, socket(), { shard: 1, shards: 2 });
    using proxy = await CuttableProxy.to(other.endpoint.unixAddress);
    const peersOf = (first: StartedService, second = other.endpoint) => ({ kind: 'peers', endpoints: [first.endpoint, second] }) as const;
    primary.service.take(peersOf(primary, { ...other.endpoint, unixAddress: '', tcpAddress: proxy.address }));
    for (const { service } of [replica, other]) service.take(peersOf(primary));
    using worker = soloWorker(large, [primary.endpoint, other.endpoint], (step) => step === 1 && proxy.silence());
    await expect.poll(() => worker.versions[0]!.has(2)).toBe(true);
    expect(worker.versions[1]!.has(2)).toBe(false);
    await primary.service.close();
    replica.service.take({ kind: 'promote' });
    for (const { service } of [replica, other]) service.take(peersOf(replica));
    worker.connect([replica.endpoint.unixAddress, other.endpoint.unixAddress]);
    await worker.reached(STEPS);
    expectExact(worker, expectedLarge, [primary.endpoint, other.endpoint]);
    await replica.service.close();
  });
});

it('goes on without anybody to take its checkpoints, and keeps the newest', async () => {
  const run = new SyntheticRun({ ...small.options, totalSteps: 20, checkpointEvery: 1, snapshotEvery: [4] });
  await using primary = await StartedService.start(run, socket());
  using worker = soloWorker(run, [primary.endpoint]);
  await worker.reached(20);
  const made = primary.messages.flatMap((message) => (message.kind === 'snapshot' ? [message.version] : []));
  const dropped = primary.messages.flatMap((message) => (message.kind === 'copy-dropped' ? [message.version] : []));
  expect(made).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  expect(made.filter((version) => !dropped.includes(version))).toEqual([4, 8, 12, 16, 17, 18, 19, 20]);
});

describe('a replica', () => {
  it('that dies at any moment of a step leaves a primary that goes on to the same bytes', async () => {
    for (const { index, turns } of MOMENTS.filter((_, moment) => moment % 3 === 0)) {
      const { primary, replica } = await startPair(small);
      using worker = soloWorker(small, [primary.endpoint], (step, pushed) => {
        if (step === 1 && pushed === index) afterTurns(turns, () => void replica.service.close());
      });
      await worker.reached(STEPS);
      expectExact(worker, expectedSmall, [primary.endpoint]);
      await primary.message('replica-state', ({ inSync }) => !inSync);
      await primary.service.close();
    }
  }, 60_000);

  it('that is attached in the middle of a run holds the same bytes from then on', async () => {
    for (const turns of [0, 1, 3, 7, 15, 31]) {
      const run = new SyntheticRun({ ...small.options, totalSteps: 8, snapshotEvery: [8] });
      await using primary = await StartedService.start(run, socket());
      await using replica = await StartedService.start(run, socket(), { role: 'replica' });
      using worker = soloWorker(run, [primary.endpoint], (step, pushed) => {
        if (step === 1 && pushed === 0) afterTurns(turns, () => primary.service.take({ kind: 'replicate', to: replica.endpoint }));
      });
      await worker.reached(8);
      const [mine, its] = await Promise.all([primary, replica].map((each) => each.message('snapshot')));
      expect(its?.state).toEqual(mine?.state);
      const history = await replica.message('finished', ({ steps }) => steps.some(({ step }) => step === 7));
      expect(history.steps.length).toBeGreaterThan(0);
    }
  }, 30_000);

  it('that goes silent is given up after the detection time, and its primary goes on', async () => {
    await using primary = await StartedService.start(small, socket(), { failureDetectionMs: 1000 });
    await using replica = await StartedService.start(small, socket(), { role: 'replica' });
    using proxy = await CuttableProxy.to(replica.endpoint.unixAddress);
    primary.service.take({ kind: 'replicate', to: { ...replica.endpoint, unixAddress: '', tcpAddress: proxy.address } });
    await primary.message('replica-state', ({ inSync }) => inSync);
    using worker = soloWorker(small, [primary.endpoint], (step) => step === 1 && proxy.silence());
    await worker.reached(STEPS);
    expect((await primary.message('replica-state', ({ inSync }) => !inSync)).reason).toMatch(/silent for \d+ ms/);
    expectExact(worker, expectedSmall, [primary.endpoint]);
  });

  it.each(['nobody', 'another'])('that is silent while a version waits for it is waited for no longer once its primary is told to keep %s', async (successor) => {
    await using primary = await StartedService.start(small, socket());
    await using replica = await StartedService.start(small, socket(), { role: 'replica' });
    await using other = await StartedService.start(small, socket(), { role: 'replica' });
    using proxy = await CuttableProxy.to(replica.endpoint.unixAddress);
    primary.service.take({ kind: 'replicate', to: { ...replica.endpoint, unixAddress: '', tcpAddress: proxy.address } });
    await primary.message('replica-state', ({ inSync }) => inSync);
    using worker = soloWorker(small, [primary.endpoint], (step) => step === 1 && proxy.silence());
    await worker.reached(1);
    await expect.poll(async () => {
      primary.messages.length = 0;
      primary.service.take({ kind: 'coverage', request: 1 });
      const { missing, waitsFor } = await primary.message('coverage');
      return { missing, waitsFor };
    }).toEqual({ missing: [], waitsFor: `its replica at ${proxy.address} to have version 2` });
    primary.service.take({ kind: 'replicate', to: successor === 'nobody' ? null : other.endpoint });
    await worker.reached(STEPS);
    expectExact(worker, expectedSmall, [primary.endpoint]);
  });

  it('takes nothing from a primary of another shard or generation, nor of a promoted one', async () => {
    await using primary = await StartedService.start(large, socket(), { shard: 0, shards: 2 });
    await using older = await StartedService.start(large, socket(), { shard: 1, shards: 2, generation: 3 });
    await using replica = await StartedService.start(large, socket(), { shard: 1, shards: 2, role: 'replica' });
    for (const [each, reason] of [[primary, 'a primary of shard 0, this is replica of shard 1'], [older, 'a shard of generation 3, this one is of 0']] as const) {
      each.service.take({ kind: 'replicate', to: replica.endpoint });
      expect((await each.message('replica-state')).reason).toContain(reason);
    }
    replica.service.take({ kind: 'promote' });
    primary.messages.length = 0;
    primary.service.take({ kind: 'replicate', to: replica.endpoint });
    expect((await primary.message('replica-state')).reason).toContain('this is primary of shard 1');
  });
});

describe('several shards with clipping by the global norm', () => {
  it('come to the same bytes where the ways between them break over and over', async () => {
    const run = new SyntheticRun({ ...large.options, totalSteps: 20 });
    const expected = expectedVersions(run);
    await using stack = new AsyncDisposableStack();
    const services = await Promise.all([0, 1, 2].map(async (shard) => stack.use(await StartedService.start(run, socket(), { shard, shards: 3 }))));
    const proxies = await Promise.all(services.map(async ({ endpoint }) => stack.use(await CuttableProxy.to(endpoint.unixAddress))));
    const endpoints = services.map(({ endpoint }) => endpoint);
    for (const { service } of services) service.take({ kind: 'peers', endpoints: endpoints.map((endpoint, shard) => ({ ...endpoint, unixAddress: '', tcpAddress: proxies[shard]!.address })) });
    let cuts = 0;
    using worker = soloWorker(run, endpoints, (step, pushed) => {
      const proxy = proxies[(step + pushed) % 3]!;
      afterTurns((7 * step + pushed) % 9, () => proxy.cut());
      cuts += 1;
    });
    await worker.reached(20);
    expect(cuts).toBe(20 * MICRO_BATCHES);
    expectExact(worker, expected, endpoints);
  }, 60_000);
});

function connected(path: string): Promise<Socket> {
  return new Promise((resolve) => {
    const connection = connectSocket(path, () => resolve(connection));
    connection.on('error', () => undefined);
  });
}

describe('strangers at a shard', () => {
  it('harm nobody: random bytes, HTTP/1, cut frames, idle connections by the thousand, one that never reads', async () => {
    const run = new SyntheticRun({ ...small.options, totalSteps: 10 });
    const expected = expectedVersions(run);
    await using shard = await StartedService.start(run, socket());
    const path = shard.endpoint.unixAddress.slice('unix:'.length);
    const before = process.memoryUsage().rss;
    const idle: Socket[] = [];
    // One after another: a socket's queue of connections is short.
    while (idle.length < 1000) idle.push(await connected(path));
    const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    const settings = Buffer.from('000000040000000000', 'hex');
    const noise = Buffer.from(Array.from({ length: 5000 }, (_, index) => (index * 7919) % 251));
    idle[0]!.write(noise);
    idle[1]!.write('GET / HTTP/1.1\r\nHost: shard\r\n\r\n');
    idle[2]!.write(Buffer.concat([preface, noise]));
    idle[3]!.write(Buffer.concat([preface, settings, Buffer.from('ffffff010500000001', 'hex'), noise]));
    idle[4]!.pause().write(Buffer.concat([preface, settings]));
    idle[5]!.write(preface.subarray(0, 9));
    idle[6]!.end();
    idle[7]!.destroy();
    using worker = soloWorker(run, [shard.endpoint]);
    await worker.reached(10);
    expectExact(worker, expected, [shard.endpoint]);
    expect(worker.lost).toEqual([]);
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 2 ** 20);
    for (const connection of idle) connection.destroy();
  }, 30_000);

  it('with the token lose their streams only, and fill no log', async () => {
    await using shard = await StartedService.start(small, socket());
    const wrong = new SyntheticRun({ ...small.options, microBatches: 64 });
    const strangers = Array.from({ length: 20 }, (_, index) => new SyntheticWorker({
      run: wrong, rank: 50 + index, ranges: [shard.endpoint], nodes: nodesCovering(MICRO_BATCHES + index, MICRO_BATCHES + index + 1),
    }).connect([shard.endpoint.unixAddress]));
    using worker = soloWorker(small, [shard.endpoint]);
    await worker.reached(STEPS);
    expectExact(worker, expectedSmall, [shard.endpoint]);
    for (const stranger of strangers) stranger[Symbol.dispose]();
    const notes = shard.messages.filter(({ kind }) => kind === 'note');
    expect(notes.length).toBeLessThanOrEqual(3);
    expect(worker.lost).toEqual([]);
  });
});

it('tells of every step once where a copy is asked for without room for it, at any moment of a step that workers are shown in pieces', async () => {
  const steps = 11;
  const pieces = new SyntheticRun({ trainableLength: 3 * PIECE_FLOATS, totalLength: 3 * PIECE_FLOATS, microBatches: 2, totalSteps: steps });
  const versions = expectedVersions(pieces);
  const allReported = Array.from({ length: steps }, (_, step) => step);
  for (const turns of [0, 4, 8, 11, 14, 20]) {
    await using shard = await StartedService.start(pieces, socket());
    for (let version = 1; version <= 8; version += 1) shard.service.take({ kind: 'snapshot-at', version });
    using worker = new SyntheticWorker({
      run: pieces, rank: 0, ranges: [shard.endpoint], nodes: [leafOf(0), leafOf(1)],
      onPushed: (step, index) => {
        if (step === 8 && index === 1) afterTurns(turns, () => shard.service.take({ kind: 'snapshot-at', version: 9 }));
      },
    }).connect([shard.endpoint.unixAddress]);
    await worker.reached(8);
    // Long enough for the next step to be made, if workers have seen what is held back.
    await new Promise<void>((resolve) => afterTurns(500, resolve));
    shard.service.take({ kind: 'acknowledge', stepsBefore: 0, snapshotsBefore: 8 });
    await worker.reached(steps);
    await shard.message('snapshot', ({ version }) => version === steps);
    await shard.message('finished', ({ steps: told }) => told.some(({ step }) => step === steps - 1));
    const reported = shard.messages.flatMap((message) => (message.kind === 'finished' ? message.steps.map(({ step }) => step) : []));
    expect(reported).toEqual(allReported);
    expectExact(worker, versions, [shard.endpoint]);
  }
});
