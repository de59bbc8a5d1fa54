import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareReceipts, openRunDirectory, readReceipts } from '@lockstep/checkpoint';
import type { EndEvent, EpochEvent, RunEvent } from '@lockstep/core';
import { lockstepEvents } from '../support/processes.ts';

const CONFIG = join(import.meta.dirname, 'run.config.ts');

/** Real processes and real sockets; each differs from the first in what must not matter. */
const CLUSTERS: readonly (readonly [name: string, flags: readonly string[]])[] = [
  ['one', ['--workers', '1']],
  ['two-workers', ['--workers', '2']],
  ['three-workers-three-shards', ['--workers', '3', '--shards', '3']],
  ['five-workers-three-shards-no-shared-memory', ['--workers', '5', '--shards', '3', '--no-shared-memory']],
  ['more-workers-than-micro-batches', ['--workers', '9']],
  ['shards-on-workers', ['--workers', '3', '--shard-hosts', 'workers']],
  ['shards-on-servers-no-shared-memory', ['--workers', '2', '--shard-hosts', 'servers', '--parameter-servers', '2', '--no-shared-memory']],
  ['shards-everywhere-with-replicas', ['--workers', '2', '--shard-hosts', 'coordinator,workers,servers', '--parameter-servers', '1', '--shards', '5', '--replicas', '1']],
];

describe.each([
  ['gradients that travel as bf16', ['--wire', 'bf16'], { wire: 'bf16', parameterWire: 'float32' }],
  ['gradients that travel as int8', ['--wire', 'int8'], { wire: 'int8', parameterWire: 'float32' }],
  ['the largest of their gradients alone', ['--wire', 'topK', '--wire.ratio', '0.05', '--wire.dense-every', '3'], { wire: { kind: 'topK', ratio: 0.05, denseEvery: 3, groups: null }, parameterWire: 'float32' }],
  ['gradients of low rank, in parts of half the batch', ['--wire', 'powerSgd', '--wire.rank', '2', '--wire.groups', '2', '--wire.dense-every', '3'], { wire: { kind: 'powerSgd', rank: 2, denseEvery: 3, groups: 2 }, parameterWire: 'float32' }],
  ['parameters that travel as bf16', ['--parameter-wire', 'bf16'], { wire: 'float32', parameterWire: 'bf16' }],
  ['both as bf16', ['--wire', 'bf16', '--parameter-wire', 'bf16'], { wire: 'bf16', parameterWire: 'bf16' }],
])('the same model with %s', (_, compressed, named) => {
  let runsDirectory: string;
  beforeAll(async () => {
    runsDirectory = await mkdtemp(join(tmpdir(), 'lockstep-equivalence-'));
  });
  afterAll(() => rm(runsDirectory, { recursive: true, force: true }));

  const train = async (name: string, ...flags: readonly string[]): Promise<EndEvent> => {
    const { exitCode, stderr, events } = await lockstepEvents('train', '--config', CONFIG, '--runs-dir', runsDirectory, '--run', name, ...flags);
    expect({ exitCode, stderr }, name).toEqual({ exitCode: 0, stderr: '' });
    return last(events);
  };

  it('ends with the same bytes by any number of workers, by shared memory or sockets, and with others than as float32', async () => {
    const one = await train('one', '--workers', '1', ...compressed);
    for (const [name, ...flags] of [
      ['three-workers-three-shards', '--workers', '3', '--shards', '3'],
      ['five-workers-no-shared-memory', '--workers', '5', '--shards', '3', '--no-shared-memory'],
      ['shards-on-workers-with-replicas', '--workers', '2', '--shard-hosts', 'workers', '--replicas', '1'],
    ] as const) {
      const { parametersSha256, test } = await train(name, ...flags, ...compressed);
      expect({ name, parametersSha256, test }).toEqual({ name, parametersSha256: one.parametersSha256, test: one.test });
    }
    expect((await train('float32', '--workers', '1')).parametersSha256).not.toBe(one.parametersSha256);
    const [record] = await Array.fromAsync(readReceipts((await openRunDirectory(runsDirectory, 'one')).file('receipts.jsonl')));
    expect(record).toMatchObject({ kind: 'run', ...named });
  }, 120_000);
});

describe('a model with dropout, BatchNorm, augmentation and clipping by global norm', () => {
  let runsDirectory: string;
  const ends = new Map<string, EndEvent>();
  const epochs = new Map<string, readonly EpochEvent[]>();

  beforeAll(async () => {
    runsDirectory = await mkdtemp(join(tmpdir(), 'lockstep-equivalence-'));
    for (const [name, flags] of CLUSTERS) {
      const { exitCode, stderr, events } = await lockstepEvents('train', '--config', CONFIG, '--runs-dir', runsDirectory, '--run', name, ...flags);
      expect(stderr, name).toBe('');
      expect(exitCode, name).toBe(0);
      ends.set(name, last(events));
      epochs.set(name, events.filter((event) => event.event === 'epoch'));
    }
  }, 240_000);

  afterAll(() => rm(runsDirectory, { recursive: true, force: true }));

  it('learns something: the weights are not those it began with', () => {
    const [first, second] = epochs.get('one') ?? [];
    expect(second?.loss).toBeLessThan(first?.loss ?? 0);
    expect(second?.parametersSha256).not.toBe(first?.parametersSha256);
  });

  it('applies every sample of every epoch once, the last batch not being full', () => {
    expect(ends.get('one')?.trainExamples).toBe(2 * 300);
    expect(ends.get('one')?.steps).toBe(2 * 5);
  });

  it.each(CLUSTERS.slice(1))('ends with the same bytes and metrics: %s', async (name) => {
    expect(ends.get(name)?.parametersSha256).toBe(ends.get('one')?.parametersSha256);
    expect(ends.get(name)?.test).toEqual(ends.get('one')?.test);
    expect(epochs.get(name)?.map(measured)).toEqual(epochs.get('one')?.map(measured));
  });

  it.each(CLUSTERS.slice(1))('makes the same steps, by its receipts: %s', async (name) => {
    const receipts = async (run: string) => readReceipts((await openRunDirectory(runsDirectory, run)).file('receipts.jsonl'));
    expect(await compareReceipts(await receipts('one'), await receipts(name))).toMatchObject({ same: true, steps: 10 });
  });

  it('gives other bytes from another seed', async () => {
    const { events } = await lockstepEvents('train', '--config', CONFIG, '--runs-dir', runsDirectory, '--workers', '1', '--seed', '8');
    expect(last(events).parametersSha256).not.toBe(ends.get('one')?.parametersSha256);
  });
});

function last(events: readonly RunEvent[]): EndEvent {
  const end = events.at(-1);
  if (end?.event !== 'end') throw new Error(`the last event is ${end?.event ?? 'none'}`);
  return end;
}

const measured = ({ epoch, loss, accuracy, parametersSha256 }: EpochEvent) => ({ epoch, loss, accuracy, parametersSha256 });
