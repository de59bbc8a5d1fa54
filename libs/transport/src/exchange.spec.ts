import { mkdtempSync, readdirSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { bytesOf, LockstepError, uniformStream } from '@lockstep/core';
import { ExchangeClient, type ExchangeClientOptions } from './exchange-client.ts';
import { partialFile } from './exchange-files.ts';
import type { PeerPort } from './exchange-port.ts';
import { ExchangeServer, type StreamEnd } from './exchange-server.ts';
import { probeSharedDirectory } from './shared-directory.ts';
import { SharedFile } from './shared-file.ts';
import { blankHeader, CHUNK_BYTES, encodeFrame, framesOf, HEADER_BYTES, MAX_FRAME_BYTES, SHARED_CHUNK_BYTES, type Carrier, type TensorFrame } from './tensor-frame.ts';
import { anyFloats, bitsOf } from './testing/float-bits.ts';
import { Journal } from './testing/journal.ts';
import { hello, RawWorker, startRawShard, TOKEN, workerHello } from './testing/raw-exchange.ts';
import { RecordingShard } from './testing/recording-shard.ts';
import { RecordingVersions } from './testing/recording-versions.ts';

const CARRIERS = [
  { carrier: 'TCP', bytes: 'inline', address: () => '127.0.0.1:0' },
  { carrier: 'a Unix socket', bytes: 'inline', address: (directory: string) => `unix:${join(directory, 'shard.sock')}` },
  { carrier: 'shared memory', bytes: 'shared', address: (directory: string) => `unix:${join(directory, 'shard.sock')}` },
] as const;

/** More than two chunks, the last one not full. */
const LARGE = 300_000;
const tally = { numExamples: 3, numCorrect: 2, lossSum: 0.1, numNonFinite: 0 };
const partialOf = (step: number, index: number) => ({ step, node: { level: 0, index }, tally, shares: [{ rank: 0, microBatches: 1, computeMs: 1.5 }], digests: [0xfedc_ba98 + index] });
const framesOfPartial = (step: number, index: number, floats: Float32Array): Buffer[] => framesOf('partial', partialOf(step, index), floats, partialOf(step, index).digests);

interface Worker {
  readonly client: ExchangeClient;
  readonly versions: RecordingVersions;
  readonly lost: Journal<LockstepError>;
}

const noPeers: PeerPort = {
  accept: () => {
    throw new LockstepError('protocol', 'no peer is due');
  },
};

class Exchange implements AsyncDisposable {
  readonly shard: RecordingShard;
  readonly streamEnds = new Journal<StreamEnd>();
  readonly server: ExchangeServer;
  readonly #clients: ExchangeClient[] = [];
  address = '';

  private constructor(length: number, bytes: Carrier, serving: boolean, failureDetectionMs: number) {
    this.shard = new RecordingShard(length);
    this.server = new ExchangeServer(this.shard, noPeers, {
      token: TOKEN, sharedMemory: bytes !== 'inline', serving, failureDetectionMs, onStreamEnd: (end) => this.streamEnds.add(end),
    });
  }

  static async start(length: number, { bytes, address }: (typeof CARRIERS)[number], serving = true, failureDetectionMs = 60_000): Promise<Exchange> {
    const exchange = new Exchange(length, bytes, serving, failureDetectionMs);
    [exchange.address = ''] = await exchange.server.listen([address(directory)]);
    return exchange;
  }

  async join(rank: number, initial?: () => Float32Array): Promise<Worker> {
    const { opened, ...worker } = this.begin(rank, initial);
    await opened;
    return worker;
  }

  /** A worker that may not be welcome yet. */
  begin(rank: number, initial: () => Float32Array = () => new Float32Array(this.shard.length), options: Partial<ExchangeClientOptions> = {}): Worker & { readonly opened: Promise<void> } {
    const versions = new RecordingVersions(this.shard.length);
    const lost = new Journal<LockstepError>();
    const { promise: opened, resolve } = Promise.withResolvers<void>();
    const client = new ExchangeClient({
      role: 'worker', rank, token: TOKEN, address: this.address, length: this.shard.length, versions, initial,
      onOpen: resolve, onLost: (error) => lost.add(error), ...options,
    });
    this.#clients.push(client);
    return { client, versions, lost, opened };
  }

  publish(version: number, parameters: ArrayBufferView, made = parameters.byteLength): void {
    this.server.show(version, bytesOf(parameters), made);
  }

  async committed(count: number): Promise<RecordingShard['committed']> {
    await this.shard.journal.until(() => this.shard.committed.length >= count);
    return this.shard.committed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.server.close();
  }
}

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'exchange-spec-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
  expect(sharedDirectories()).toEqual([]);
});

/** The directories of this process in the tmpfs. */
function sharedDirectories(): string[] {
  return readdirSync('/dev/shm').filter((name) => name.includes(`-${process.pid}-`)).map((name) => join('/dev/shm', name));
}

/** What this process has open in the tmpfs, removed or not. */
function openSharedFiles(): string[] {
  return readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${descriptor}`);
      return path.startsWith('/dev/shm/lockstep-') ? [path] : [];
    } catch {
      return [];
    }
  });
}

describe.each(CARRIERS)('an exchange by $carrier', (carrier) => {
  it('settles how bytes travel', async () => {
    await using exchange = await Exchange.start(10, carrier);
    const { client } = await exchange.join(0);
    expect(client.sharesMemory).toBe(carrier.bytes !== 'inline');
  });

  it.each([0, 1, CHUNK_BYTES / 4, LARGE])('carries %i initial parameters and their version bit for bit', async (length) => {
    await using exchange = await Exchange.start(length, carrier);
    exchange.shard.needsInitial = true;
    exchange.shard.onInitial = (parameters) => exchange.publish(0, parameters);
    const initial = anyFloats(length, length);
    const { versions } = await exchange.join(0, () => initial);
    expect(bitsOf(await versions.version(0))).toBe(bitsOf(initial));
    const [reserved, event] = exchange.shard.journal.entries;
    expect(event?.kind).toBe('initial');
    expect(event?.destination).toBe(reserved?.destination);
    expect(bitsOf(event!.destination)).toBe(bitsOf(initial));
  });

  it.each([0, 5, LARGE])('delivers each partial of %i floats once, in the memory that was reserved for it', async (length) => {
    await using exchange = await Exchange.start(length, carrier);
    const { client } = await exchange.join(4);
    const sums = Array.from({ length: 5 }, (_, index) => anyFloats(index, length));
    sums.forEach((sum, index) => client.push(partialOf(0, index), index, bytesOf(sum)));
    const committed = await exchange.committed(5);
    const reserved = exchange.shard.journal.entries.filter(({ kind }) => kind === 'reserved');
    expect(reserved).toHaveLength(5);
    committed.forEach(({ rank, header, destination }, index) => {
      expect(rank).toBe(4);
      expect(header).toMatchObject({ ...partialOf(0, index), shares: [{ rank: 4, microBatches: 1, computeMs: 1.5 }], digests: Uint32Array.from(partialOf(0, index).digests), carrier: carrier.bytes });
      expect(destination).toBe(reserved[index]!.destination);
      expect(bitsOf(destination)).toBe(bitsOf(sums[index]!));
    });
  });

  it('reads no floats any more once it is closed: the shard has all of them as they were, or takes none', async () => {
    await using exchange = await Exchange.start(LARGE, carrier);
    const sum = anyFloats(1, LARGE);
    const expected = bitsOf(sum);
    for (let round = 0; round < 10; round += 1) {
      const { client } = await exchange.join(round);
      client.push(partialOf(round, 0), 0, bytesOf(sum));
      client.close();
      sum.fill(0);
      await exchange.streamEnds.atLeast(round + 1);
      sum.set(anyFloats(1, LARGE));
    }
    for (const { destination } of exchange.shard.committed) expect(bitsOf(destination)).toBe(expected);
  });

  it('keeps partials of several workers that are pushed at once apart', async () => {
    await using exchange = await Exchange.start(LARGE, carrier);
    const workers = await Promise.all([0, 1, 2].map((rank) => exchange.join(rank)));
    const sumOf = (rank: number, index: number) => anyFloats(10 * rank + index, LARGE);
    for (const index of [0, 1]) workers.forEach(({ client }, rank) => client.push(partialOf(0, 2 * rank + index), index, bytesOf(sumOf(rank, index))));
    const committed = await exchange.committed(6);
    expect(committed).toHaveLength(6);
    for (const { rank, header, destination } of committed) {
      expect(bitsOf(destination)).toBe(bitsOf(sumOf(rank, header.node.index - 2 * rank)));
    }
  });

  it('reuses a slot every second step', async () => {
    await using exchange = await Exchange.start(1000, carrier);
    const { client, versions } = await exchange.join(0);
    const memory = anyFloats(0, 2000);
    for (let step = 0; step < 6; step += 1) {
      const sum = memory.subarray((step % 2) * 1000, (step % 2) * 1000 + 1000);
      sum.set(anyFloats(step, 1000));
      client.push(partialOf(step, 0), step % 2, bytesOf(sum));
      const committed = await exchange.committed(step + 1);
      expect(bitsOf(committed[step]!.destination)).toBe(bitsOf(sum));
      exchange.publish(step + 1, sum);
      expect(bitsOf(await versions.version(step + 1))).toBe(bitsOf(sum));
    }
  });

  it('skips what is covered and goes on with what is not', async () => {
    await using exchange = await Exchange.start(LARGE, carrier);
    exchange.shard.isCovered = ({ node }) => node.index < 2;
    const { client } = await exchange.join(0);
    for (const index of [0, 1, 2]) client.push(partialOf(0, index), index, bytesOf(anyFloats(index, LARGE)));
    const committed = await exchange.committed(1);
    expect(committed.map(({ header }) => header.node.index)).toEqual([2]);
    expect(bitsOf(committed[0]!.destination)).toBe(bitsOf(anyFloats(2, LARGE)));
    expect(exchange.shard.journal.entries.map(({ kind }) => kind)).toEqual(['covered', 'covered', 'reserved', 'committed']);
  });

  it('sends a version to all workers, and the current one to a worker that joins late', async () => {
    await using exchange = await Exchange.start(LARGE, carrier);
    const early = await Promise.all([0, 1].map((rank) => exchange.join(rank)));
    const [first, second] = [anyFloats(1, LARGE), anyFloats(2, LARGE)];
    exchange.publish(0, first);
    for (const { versions } of early) expect(bitsOf(await versions.version(0))).toBe(bitsOf(first));
    exchange.publish(1, second);
    const late = await exchange.join(2);
    for (const { versions } of [...early, late]) expect(bitsOf(await versions.version(1))).toBe(bitsOf(second));
    expect(late.versions.reserved).toEqual([1]);
    for (const { versions } of early) expect(versions.reserved).toEqual([0, 1]);
  });

  it('sends a version while it is made, and a worker that joins in the middle what there is and then the rest', async () => {
    const length = 3 * SHARED_CHUNK_BYTES / 4 + 5;
    await using exchange = await Exchange.start(length, carrier);
    const early = await exchange.join(0);
    const [before, after] = [anyFloats(1, length), anyFloats(2, length)];
    exchange.publish(0, before);
    expect(bitsOf(await early.versions.version(0))).toBe(bitsOf(before));
    exchange.publish(1, after, SHARED_CHUNK_BYTES);
    await early.versions.reservations.until((versions) => versions.includes(1));
    const late = await exchange.join(1);
    await late.versions.reservations.until((versions) => versions.includes(1));
    exchange.publish(1, after, SHARED_CHUNK_BYTES + 4);
    exchange.publish(1, after, 2 * SHARED_CHUNK_BYTES);
    expect([early, late].flatMap(({ versions }) => versions.journal.entries).filter(({ kind, version }) => kind === 'committed' && version === 1)).toEqual([]);
    exchange.publish(1, after);
    for (const { versions } of [early, late]) expect(bitsOf(await versions.version(1))).toBe(bitsOf(after));
    exchange.publish(2, before);
    for (const { versions } of [early, late]) expect(bitsOf(await versions.version(2))).toBe(bitsOf(before));
    expect(late.versions.reserved).toEqual([1, 2]);
  });

  it('gives a worker that lags the latest version and not a queue of old ones', async () => {
    await using exchange = await Exchange.start(LARGE, carrier);
    const { versions } = await exchange.join(0);
    const parameters = new Float32Array(LARGE);
    exchange.publish(0, parameters);
    await versions.version(0);
    for (let version = 1; version <= 40; version += 1) exchange.publish(version, parameters.fill(version));
    await versions.version(40);
    expect(versions.reserved).toEqual([0, 1, 40]);
    for (const { kind, version, parameters: received } of versions.journal.entries) {
      if (kind === 'committed') expect(received.every((value) => value === version)).toBe(true);
    }
  });

  it('tells a worker once that its shard is gone, and says which', async () => {
    await using exchange = await Exchange.start(10, carrier);
    const { lost, client } = await exchange.join(0);
    await exchange.server.close();
    const [error] = await lost.atLeast(1);
    expect(error).toMatchObject({ code: 'connection', message: expect.stringContaining(exchange.address) });
    client.push(partialOf(0, 0), 0, bytesOf(new Float32Array(10)));
    client.close();
    expect(lost.entries).toHaveLength(1);
  });

  it('tells the shard once that a worker has left, and the worker, which knows, nothing', async () => {
    await using exchange = await Exchange.start(10, carrier);
    const { client, lost } = await exchange.join(7);
    client.close();
    client.close();
    await exchange.streamEnds.atLeast(1);
    client.push(partialOf(0, 0), 0, bytesOf(new Float32Array(10)));
    await exchange.join(8);
    expect(exchange.streamEnds.entries).toEqual([{ peer: expect.any(String) as string, rank: 7, fault: null }]);
    expect(exchange.shard.journal.entries).toEqual([]);
    expect(lost.entries).toEqual([]);
  });

  it('goes on with the others when a worker leaves in the middle of its work', async () => {
    await using exchange = await Exchange.start(LARGE, carrier);
    const [leaving, staying] = [await exchange.join(0), await exchange.join(1)];
    leaving.client.push(partialOf(0, 0), 0, bytesOf(anyFloats(0, LARGE)));
    leaving.client.close();
    await exchange.streamEnds.atLeast(1);
    staying.client.push(partialOf(0, 1), 0, bytesOf(anyFloats(1, LARGE)));
    await exchange.shard.journal.until(() => exchange.shard.committed.some(({ rank }) => rank === 1));
    const kinds = exchange.shard.journal.entries.map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'reserved').length).toBe(kinds.filter((kind) => kind === 'committed' || kind === 'abandoned').length);
  });

  it('refuses a worker with another idea of the range', async () => {
    await using exchange = await Exchange.start(10, carrier);
    const { lost } = exchange.begin(0, undefined, { length: 11 });
    expect((await lost.atLeast(1))[0]).toMatchObject({ code: 'protocol', message: `shard at ${exchange.address} holds 10 elements, expected 11` });
    expect(lost.entries).toHaveLength(1);
  });
});

describe('what a shard does to a worker that breaks the protocol', () => {
  const length = CHUNK_BYTES / 4 + 10;
  const chunks = framesOfPartial(0, 0, new Float32Array(length));
  const others = framesOfPartial(0, 1, new Float32Array(length));
  const greeting = [workerHello(3), hello({ proof: null })];
  const shared = encodeFrame({ ...blankHeader, kind: 'partial', carrier: 'shared', count: length * 4, length: length * 4 }, undefined, [0]);
  const sized = (frame: Buffer, numBytes: number): Buffer => {
    const changed = Buffer.from(frame.subarray(0, HEADER_BYTES + 4));
    changed.writeUInt32LE(numBytes, 0);
    return changed;
  };

  it.each([
    ['sends tensors before it says hello', [chunks[0]!], 'partial before hello'],
    ['says a hello that is none', [workerHello(-1)], 'malformed hello of an exchange stream'],
    ['presents another token', [workerHello(3, { token: 'a guess' })], 'the stream does not present the token of this run'],
    ['names its files elsewhere', [workerHello(3, { connection: `../${'0'.repeat(29)}` })], 'malformed hello of an exchange stream'],
    ['is a peer that is not due', [hello({ role: 'norms', token: TOKEN, generation: 0, shard: 1 })], 'no peer is due'],
    ['sends initial parameters that nobody asked for', [...greeting, ...framesOf('initial', {}, new Float32Array(length))], 'worker 3 was not asked for initial parameters'],
    ['sends a gradient', [...greeting, ...framesOf('gradient', {}, new Float32Array(length))], 'worker 3 sent a gradient'],
    ['does not wait to be welcome', [workerHello(3), chunks[0]!], 'worker 3 sent a partial before it was welcome'],
    ['says hello in no JSON', [encodeFrame(blankHeader, Buffer.from('{'))], 'malformed hello of an exchange stream'],
    ['says hello again', [...greeting, hello({ proof: null })], 'worker 3 said hello again'],
    ['sends a version', [...greeting, ...framesOf('version', {}, new Float32Array(length))], 'worker 3 sent a version'],
    ['sends a partial of another length', [...greeting, ...framesOf('partial', {}, new Float32Array(9), [0])], `partial of 36 bytes, expected ${length * 4}`],
    ['begins in the middle', [...greeting, chunks[1]!], `chunk at ${CHUNK_BYTES} of ${length * 4} of partial (step 0, node (0, 0)), expected the first chunk of a slice`],
    ['repeats a chunk', [...greeting, chunks[0]!, chunks[0]!], `chunk at 0 of ${length * 4} of partial (step 0, node (0, 0)), expected chunk at ${CHUNK_BYTES}`],
    ['mixes two partials', [...greeting, chunks[0]!, others[1]!], 'of partial (step 0, node (0, 1)), expected chunk at'],
    ['names shared memory that it does not share', [...greeting, shared], 'worker 3 names a shared file but shares no memory'],
    ['announces a frame of another size', [...greeting, sized(chunks[0]!, 100)], 'malformed tensor frame: 36 payload bytes'],
    ['announces a frame of no size', [...greeting, Buffer.alloc(HEADER_BYTES)], 'malformed tensor frame: 0 bytes'],
    ['announces more than a chunk at a time', [...greeting, sized(chunks[0]!, MAX_FRAME_BYTES + 1)], `malformed tensor frame: ${MAX_FRAME_BYTES + 1} bytes`],
    ['says a hello that is too long', [workerHello(3, { connection: '0'.repeat(5000) })], 'bytes before the slice, expected at most 4096'],
    ['tells a shard what it computes', [...greeting, encodeFrame({ ...blankHeader, kind: 'nodes' }, Buffer.from('{"step":0,"nodes":[]}'))], 'worker 3 sent a nodes'],
    ['tells of the work of others', [...greeting, encodeFrame({ ...blankHeader, kind: 'shares' }, Buffer.from('[]'))], 'worker 3 sent a shares'],
    ['does not say whose work it relays', [workerHello(3, { role: 'relay' }), hello({ proof: null }), ...chunks], 'the relay of worker 3 tells whose 0 micro-batches are in a partial of 1'],
    ['says nonsense of whose work it relays', [workerHello(3, { role: 'relay' }), hello({ proof: null }), encodeFrame({ ...blankHeader, kind: 'shares' }, Buffer.from('[{"rank":-1}]'))], 'malformed shares of an exchange stream'],
    ['speaks HTTP', [Buffer.from(`GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: a browser or another\r\n\r\n`)], 'malformed tensor frame: 542393671 bytes'],
  ] as const)('names it to one that %s, gives back its memory and serves the others', async (_, frames, message) => {
    await using exchange = await Exchange.start(length, CARRIERS[1]);
    const { client, lost } = await exchange.join(0);
    using worker = new RawWorker(exchange.address);
    worker.send(...frames);
    expect(await worker.ended).toContain(message);
    await exchange.streamEnds.atLeast(1);
    expect(exchange.streamEnds.entries).toMatchObject([{ fault: { code: 'protocol', message: expect.stringContaining(message) } }]);
    const given = exchange.shard.journal.entries.map(({ kind }) => kind);
    expect(given).toEqual(given.length === 0 ? [] : ['reserved', 'abandoned']);
    client.push(partialOf(0, 5), 0, bytesOf(anyFloats(5, length)));
    const [committed] = await exchange.committed(1);
    expect(bitsOf(committed!.destination)).toBe(bitsOf(anyFloats(5, length)));
    expect(lost.entries).toEqual([]);
  });

  it('holds no more than the connection for one that never reads, and serves the others', async () => {
    await using exchange = await Exchange.start(LARGE, CARRIERS[0]);
    using worker = new RawWorker(exchange.address);
    worker.send(workerHello(3), hello({ proof: null }));
    await worker.frames.atLeast(1);
    worker.socket.pause();
    const { versions } = await exchange.join(0);
    const floats = new Float32Array(LARGE);
    for (let version = 0; version < 40; version += 1) {
      exchange.publish(version, floats.fill(version));
      await versions.version(version);
    }
    worker.socket.resume();
    const headers = (frames: readonly TensorFrame[]) => frames.slice(1).map(({ header }) => header);
    const received = await worker.frames.until((frames) => headers(frames).some(({ step, offset, count, length }) => step === 39 && offset + count === length));
    expect(new Set(headers(received).map(({ step }) => step)).size).toBeLessThan(20);
  });

  it('answers one that asks whether it lives, and minds it no more', async () => {
    await using exchange = await Exchange.start(length, CARRIERS[0]);
    using stranger = new RawWorker(exchange.address);
    const ping = encodeFrame({ ...blankHeader, kind: 'ping' });
    stranger.send(ping, ping);
    expect(await stranger.ended).toBe('');
    expect(stranger.frames.entries.map(({ header }) => header.kind)).toEqual(['ping']);
    await exchange.streamEnds.atLeast(1);
    expect(exchange.streamEnds.entries).toMatchObject([{ rank: null, fault: null }]);
  });

  it.each([['nothing', Buffer.alloc(0)], ['a part of its hello', workerHello(3).subarray(0, 70)]])('waits no longer than 10 s for one that says %s', async (_, said) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      await using exchange = await Exchange.start(length, CARRIERS[0]);
      using worker = new RawWorker(exchange.address);
      worker.send(said);
      // A worker that came later is welcome, so the shard has taken the first one's connection.
      await exchange.join(0);
      vi.advanceTimersByTime(10_000);
      expect(await worker.ended).toBe('no hello within 10000 ms');
      expect(exchange.streamEnds.entries).toMatchObject([{ rank: null, fault: { code: 'protocol' } }]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('tells it what the shard itself refuses', async () => {
    await using exchange = await Exchange.start(length, CARRIERS[1]);
    exchange.shard.isCovered = () => {
      throw new Error('there is no such node');
    };
    using worker = new RawWorker(exchange.address);
    worker.send(...greeting, ...chunks);
    expect(await worker.ended).toBe('there is no such node');
  });

  it('gives back the memory of a slice, initial or partial, whose stream ends in the middle', async () => {
    await using exchange = await Exchange.start(length, CARRIERS[1]);
    exchange.shard.needsInitial = true;
    for (const kind of ['partial', 'initial'] as const) {
      const worker = new RawWorker(exchange.address);
      worker.send(...greeting, framesOf(kind, partialOf(0, 0), new Float32Array(length), kind === 'partial' ? [0] : [])[0]!);
      await exchange.shard.journal.until((events) => events.some((event) => event.kind === (kind === 'partial' ? 'reserved' : 'initial-reserved')));
      worker[Symbol.dispose]();
    }
    await exchange.streamEnds.atLeast(2);
    expect(new Set(exchange.shard.journal.entries.map(({ kind }) => kind))).toEqual(new Set(['reserved', 'abandoned', 'initial-reserved', 'initial-abandoned']));
  });
});

describe('what a worker does with a shard that breaks the protocol', () => {
  const length = CHUNK_BYTES / 4 + 10;
  const answer = hello({ length, sharedDirectory: null, merges: false });
  const chunks = framesOf('version', { step: 3 }, new Float32Array(length));
  const connect = (address: string, versions: RecordingVersions, lost: Journal<LockstepError>): ExchangeClient => new ExchangeClient({
    role: 'worker', rank: 0, token: TOKEN, address, length, versions,
    initial: () => new Float32Array(length), onOpen: () => undefined, onLost: (error) => lost.add(error),
  });

  it.each([
    ['sends a partial', [answer, ...framesOf('partial', {}, new Float32Array(length), [0])], 'a shard sent a partial'],
    ['sends a version of another length', [answer, ...framesOf('version', {}, new Float32Array(9))], `version of 36 bytes, expected ${length * 4}`],
    ['answers with nonsense', [hello({ length: '9' })], 'malformed hello of an exchange stream'],
    ['names shared memory that they do not share', [answer, encodeFrame({ ...blankHeader, kind: 'version', carrier: 'shared', count: length * 4, length: length * 4 })], 'names a shared file but shares no memory'],
    ['begins another version within one', [answer, chunks[0]!, ...framesOf('version', { step: 4 }, new Float32Array(length))], `chunk at 0 of ${length * 4} of version 4, expected chunk at ${CHUNK_BYTES} of ${length * 4} of version 3`],
  ] as const)('ends the exchange, once and by name, with one that %s', async (_, frames, message) => {
    using shard = await startRawShard(`unix:${join(directory, 'raw.sock')}`, (socket) => frames.forEach((frame) => socket.write(frame)));
    const versions = new RecordingVersions(length);
    const lost = new Journal<LockstepError>();
    const client = connect(shard.address, versions, lost);
    const [error] = await lost.atLeast(1);
    expect(error).toMatchObject({ code: 'protocol', message: expect.stringContaining(message) });
    client.close();
    expect(lost.entries).toHaveLength(1);
    expect(versions.journal.entries.every(({ kind }) => kind === 'abandoned')).toBe(true);
    expect(versions.journal.entries).toHaveLength(versions.reserved.length);
  });

  it('says that nobody listens at an address', async () => {
    const lost = new Journal<LockstepError>();
    const address = `unix:${join(directory, 'nobody.sock')}`;
    connect(address, new RecordingVersions(length), lost);
    expect((await lost.atLeast(1))[0]).toMatchObject({ code: 'connection', message: expect.stringContaining(address) as string });
    expect(lost.entries).toHaveLength(1);
  });
});

describe('initial parameters', () => {
  const TCP = CARRIERS[0];

  it('are asked of one worker, and of another where its stream ends before they are whole', async () => {
    await using exchange = await Exchange.start(LARGE, TCP);
    exchange.shard.needsInitial = true;
    using first = new RawWorker(exchange.address);
    first.send(workerHello(0), hello({ proof: null }));
    const [, request] = await first.frames.atLeast(2);
    expect(request!.header).toMatchObject({ kind: 'initial', count: 0 });
    const asked = new Journal<number>();
    const workers = await Promise.all([1, 2].map((rank) => exchange.join(rank, () => {
      asked.add(rank);
      return anyFloats(9, LARGE);
    })));
    first.send(framesOf('initial', {}, new Float32Array(LARGE))[0]!);
    await exchange.shard.journal.atLeast(1);
    first[Symbol.dispose]();
    await exchange.shard.journal.until((events) => events.some(({ kind }) => kind === 'initial'));
    expect(asked.entries).toHaveLength(1);
    expect(exchange.shard.journal.entries.map(({ kind }) => kind)).toEqual(['initial-reserved', 'initial-abandoned', 'initial-reserved', 'initial']);
    expect(bitsOf(exchange.shard.journal.entries[3]!.destination)).toBe(bitsOf(anyFloats(9, LARGE)));
    expect(workers.flatMap(({ lost }) => lost.entries)).toEqual([]);
  });

  it('are asked of another too where a worker is silent', async () => {
    await using exchange = await Exchange.start(10, TCP, true, 50);
    exchange.shard.needsInitial = true;
    using silent = new RawWorker(exchange.address);
    silent.send(workerHello(0), hello({ proof: null }));
    await silent.frames.atLeast(2);
    await exchange.join(1, () => anyFloats(9, 10));
    await exchange.shard.journal.until((events) => events.some(({ kind }) => kind === 'initial'));
  });

  it('are asked of nobody where the shard has some', async () => {
    await using exchange = await Exchange.start(10, TCP);
    const asked = new Journal<number>();
    const { client } = await exchange.join(1, () => {
      asked.add(1);
      return new Float32Array(10);
    });
    client.push(partialOf(0, 0), 0, bytesOf(new Float32Array(10)));
    await exchange.committed(1);
    expect(asked.entries).toEqual([]);
  });
});

describe('a worker\'s connections', () => {
  it('wait where the shard does not serve yet, and are welcome when it does', async () => {
    await using exchange = await Exchange.start(10, CARRIERS[2], false);
    const waiting = [0, 1].map((rank) => exchange.begin(rank));
    const opened = new Journal<number>();
    waiting.forEach((worker, rank) => void worker.opened.then(() => opened.add(rank)));
    using raw = new RawWorker(exchange.address);
    raw.send(workerHello(7), hello({ proof: null }));
    expect(await raw.ended).toContain('worker 7 said hello again');
    expect(opened.entries).toEqual([]);
    exchange.publish(4, new Float32Array(10));
    exchange.server.serve();
    for (const { versions } of waiting) await versions.version(4);
    expect(opened.entries.toSorted()).toEqual([0, 1]);
  });

  it('are one at a time: a new one takes the place of the last', async () => {
    await using exchange = await Exchange.start(10, CARRIERS[0]);
    const [first, other] = [await exchange.join(0), await exchange.join(1)];
    const second = await exchange.join(0);
    expect((await first.lost.atLeast(1))[0]).toMatchObject({ code: 'connection', message: expect.stringContaining('worker 0 has connected anew') as string });
    second.client.push(partialOf(0, 0), 0, bytesOf(new Float32Array(10)));
    await exchange.committed(1);
    exchange.publish(0, new Float32Array(10));
    for (const { versions, lost } of [second, other]) {
      await versions.version(0);
      expect(lost.entries).toEqual([]);
    }
    expect(exchange.streamEnds.entries.map(({ fault }) => fault)).toEqual([null]);
  });
});

describe('shared memory', () => {
  const SHARED = CARRIERS[2];

  it('is not used with a worker that does not prove that it sees it', async () => {
    await using exchange = await Exchange.start(10, SHARED);
    exchange.publish(0, Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
    using worker = new RawWorker(exchange.address);
    worker.send(workerHello(0), hello({ proof: 'a guess' }));
    const [, version] = await worker.frames.atLeast(2);
    expect(version!.header).toMatchObject({ kind: 'version', carrier: 'inline', count: 40 });
  });

  it('is left as it is by a worker that joins: others may be reading the version', async () => {
    await using exchange = await Exchange.start(10, SHARED);
    const { versions } = await exchange.join(0);
    exchange.publish(0, new Float32Array(10));
    await versions.version(0);
    const written = (): bigint => statSync(join(sharedDirectories()[0]!, 'version-0'), { bigint: true }).mtimeNs;
    const before = written();
    const late = await exchange.join(1);
    await late.versions.version(0);
    expect(written()).toBe(before);
  });

  it('gives way to the socket for a worker that cannot write there', async () => {
    await using exchange = await Exchange.start(1000, SHARED);
    const { client } = await exchange.join(5);
    expect(client.sharesMemory).toBe(true);
    rmSync(sharedDirectories()[0]!, { recursive: true });
    client.push(partialOf(0, 0), 0, bytesOf(anyFloats(1, 1000)));
    client.push(partialOf(0, 1), 1, bytesOf(anyFloats(2, 1000)));
    const committed = await exchange.committed(2);
    expect(committed.map(({ destination }) => bitsOf(destination))).toEqual([anyFloats(1, 1000), anyFloats(2, 1000)].map(bitsOf));
  });

  it('never passes for a partial that is not the one announced', async () => {
    await using exchange = await Exchange.start(10, SHARED);
    const [shared] = sharedDirectories();
    const file = SharedFile.create(partialFile(shared!, '0'.repeat(32), 0));
    file.put(1, 0, bytesOf(new Float32Array(10)));
    using worker = new RawWorker(exchange.address);
    worker.send(workerHello(0), hello({ proof: probeSharedDirectory(shared!) }));
    worker.send(encodeFrame({ ...blankHeader, kind: 'partial', carrier: 'shared', count: 40, length: 40 }, undefined, [0]));
    expect(await worker.ended).toBe('worker 0: slot 0 does not hold its partial of step 0');
    expect(exchange.shard.journal.entries.map(({ kind }) => kind)).toEqual(['reserved', 'abandoned']);
    file.close();
  });

  it('is the owner\'s alone and leaves nothing behind', async () => {
    const exchange = await Exchange.start(10, SHARED);
    const { client } = await exchange.join(0);
    client.push(partialOf(0, 0), 0, bytesOf(new Float32Array(10)));
    exchange.publish(0, new Float32Array(10));
    await exchange.committed(1);
    const [path] = sharedDirectories();
    expect(readdirSync(path!).sort()).toEqual([expect.stringMatching(/^partial-[0-9a-f]{32}-0$/), 'probe', 'version-0', 'version-1']);
    expect(readdirSync(path!).map((name) => statSync(join(path!, name)).mode & 0o777)).toEqual([0o600, 0o600, 0o600, 0o600]);
    await exchange[Symbol.asyncDispose]();
    expect(sharedDirectories()).toEqual([]);
  });

  it('loses what a worker left there, whose connections never meet each other\'s files', async () => {
    await using exchange = await Exchange.start(10, SHARED);
    const partials = (): string[] => readdirSync(sharedDirectories()[0]!).filter((name) => name.startsWith('partial-'));
    for (let connection = 1; connection <= 3; connection += 1) {
      const { client } = await exchange.join(0);
      client.push(partialOf(0, 0), 0, bytesOf(anyFloats(connection, 10)));
      const committed = await exchange.committed(connection);
      expect(bitsOf(committed.at(-1)!.destination)).toBe(bitsOf(anyFloats(connection, 10)));
      expect(partials()).toHaveLength(1);
      client.close();
      await exchange.streamEnds.atLeast(connection);
      expect(partials()).toEqual([]);
    }
  });

  it('leaves no descriptor open, and publishes nothing, once it is closed', async () => {
    for (let round = 0; round < 5; round += 1) {
      await using exchange = await Exchange.start(10, SHARED);
      const { client, versions } = await exchange.join(0);
      client.push(partialOf(0, 0), 0, bytesOf(new Float32Array(10)));
      exchange.publish(0, new Float32Array(10));
      await Promise.all([exchange.committed(1), versions.version(0)]);
      await exchange.server.close();
      exchange.publish(1, new Float32Array(10));
      expect(versions.reserved).toEqual([0]);
    }
    expect(openSharedFiles()).toEqual([]);
  });
});

describe('a relay', () => {
  it('pushes the work of several workers as theirs, beside the worker in whose process it is', async () => {
    await using exchange = await Exchange.start(10, CARRIERS[1]);
    const worker = await exchange.join(2);
    const relay = exchange.begin(2, undefined, { role: 'relay' });
    await relay.opened;
    const shares = [{ rank: 5, microBatches: 1, computeMs: 0.1 }, { rank: 2, microBatches: 1, computeMs: 7 }];
    relay.client.push({ ...partialOf(0, 3), node: { level: 1, index: 3 }, digests: [8, 9], shares }, 0, bytesOf(anyFloats(1, 10)));
    worker.client.push(partialOf(0, 1), 0, bytesOf(anyFloats(2, 10)));
    const committed = await exchange.committed(2);
    expect(committed.map(({ header }) => header).sort((a, b) => b.node.level - a.node.level)).toMatchObject([
      { node: { level: 1, index: 3 }, shares, digests: Uint32Array.of(8, 9) },
      { node: { level: 0, index: 1 }, shares: [{ rank: 2, microBatches: 1, computeMs: 1.5 }] },
    ]);
    exchange.publish(1, new Float32Array(10));
    await Promise.all([worker.versions.version(1), relay.versions.version(1)]);
  });

  it('is not asked for initial parameters', async () => {
    await using exchange = await Exchange.start(10, CARRIERS[1]);
    exchange.shard.needsInitial = true;
    const relay = exchange.begin(0, () => { throw new Error('it has none'); }, { role: 'relay' });
    await relay.opened;
    await exchange.join(1, () => new Float32Array(10).fill(3));
    await exchange.shard.journal.until((events) => events.some(({ kind }) => kind === 'initial'));
    expect(relay.lost.entries).toEqual([]);
  });

  it('is told what its workers compute, and when one is gone; a shard is not', async () => {
    const told = new Journal<readonly unknown[]>();
    for (const isRelay of [false, true]) {
      await using exchange = await Exchange.start(10, CARRIERS[1]);
      if (isRelay) exchange.shard.announcements = { announced: (...what) => told.add(what), gone: (rank) => told.add([rank]) };
      const { client } = await exchange.join(4);
      client.announce(7, [{ level: 2, index: 1 }]);
      client.push(partialOf(0, 0), 0, bytesOf(new Float32Array(10)));
      await exchange.committed(1);
      client.close();
      await exchange.streamEnds.atLeast(1);
    }
    expect(told.entries).toEqual([[4, 7, [{ level: 2, index: 1 }]], [4]]);
  });
});

it('gives the same bytes for any order in which chunks of several workers meet', async () => {
  const draw = uniformStream(3);
  await using exchange = await Exchange.start(LARGE, CARRIERS[0]);
  const workers = await Promise.all([0, 1, 2, 3].map((rank) => exchange.join(rank)));
  const pushes = Array.from({ length: 24 }, (_, index) => ({ index, worker: Math.floor(draw() * 4) }));
  for (const { index, worker } of pushes) workers[worker]!.client.push(partialOf(0, index), index, bytesOf(anyFloats(index, LARGE)));
  for (const { header, destination, rank } of await exchange.committed(24)) {
    expect(rank).toBe(pushes[header.node.index]!.worker);
    expect(bitsOf(destination)).toBe(bitsOf(anyFloats(header.node.index, LARGE)));
  }
});
