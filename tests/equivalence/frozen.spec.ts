import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeSafetensors, listCheckpoints, openRunDirectory, readReceipts } from '@lockstep/checkpoint';
import type { EndEvent, RunEvent } from '@lockstep/core';
import { lockstep } from '../cli/lockstep.ts';
import { lockstepEvents } from '../support/processes.ts';

const CONFIG = join(import.meta.dirname, 'frozen.config.ts');
const HEAD = 64 * 10 + 10;
const BASE = ['edges/kernel', 'edges/bias', 'norm/gamma', 'norm/beta', 'features/kernel', 'features/bias', 'norm/moving_mean', 'norm/moving_variance'];

let runsDirectory: string;
beforeAll(async () => {
  runsDirectory = await mkdtemp(join(tmpdir(), 'lockstep-frozen-'));
});
afterAll(() => rm(runsDirectory, { recursive: true, force: true }));

async function train(name: string, ...flags: readonly string[]): Promise<readonly RunEvent[]> {
  const { exitCode, stderr, events } = await lockstepEvents('train', '--config', CONFIG, '--runs-dir', runsDirectory, '--run', name, ...flags);
  expect({ exitCode, stderr }, name).toEqual({ exitCode: 0, stderr: '' });
  return events;
}

const endOf = (events: readonly RunEvent[]): EndEvent => events.find((event) => event.event === 'end')!;

const tensorsOf = async (path: string) => decodeSafetensors(await readFile(path)).tensors;

describe('a model whose base is frozen', () => {
  it('ends with the same bytes by any number of workers', async () => {
    const events = await train('one', '--workers', '1');
    const one = endOf(events);
    for (const [name, ...flags] of [['three', '--workers', '3', '--shards', '2', '--no-shared-memory'], ['hosted', '--workers', '2', '--shard-hosts', 'workers', '--replicas', '1']] as const) {
      const { parametersSha256, test } = endOf(await train(name, ...flags));
      expect({ name, parametersSha256, test }).toEqual({ name, parametersSha256: one.parametersSha256, test: one.test });
    }
    const [first, second] = events.filter((event) => event.event === 'epoch');
    expect(second!.loss).toBeLessThan(first!.loss);
  }, 120_000);

  it('exchanges and checkpoints nothing but its head', async () => {
    const run = await openRunDirectory(runsDirectory, 'one');
    const [record] = await Array.fromAsync(readReceipts(run.file('receipts.jsonl')));
    expect(record).toMatchObject({ kind: 'run', parameters: HEAD });
    const [version] = await listCheckpoints(run);
    const inCheckpoint = await tensorsOf(run.file(join('checkpoints', `step-${String(version).padStart(8, '0')}`, 'parameters.safetensors')));
    expect(inCheckpoint.map(({ name }) => name)).toEqual(['head/kernel', 'head/bias']);
  });

  it('is whole where it is saved, its base as it began', async () => {
    const [one, three] = await Promise.all(['one', 'three'].map((name) => tensorsOf(join(runsDirectory, name, 'model.safetensors'))));
    expect(one!.map(({ name }) => name)).toEqual(['head/kernel', 'head/bias', ...BASE]);
    expect(one).toEqual(three);
    expect(one!.find(({ name }) => name === 'norm/moving_variance')?.data).toEqual(new Float32Array(8).fill(1));
    expect(new Set(one!.find(({ name }) => name === 'edges/kernel')?.data).size).toBeGreaterThan(8);
    const { stdout, exitCode } = await lockstep('evaluate', 'three', '--runs-dir', runsDirectory);
    expect(exitCode).toBe(0);
    const { accuracy } = JSON.parse(await readFile(join(runsDirectory, 'three', 'evaluation.json'), 'utf8')) as { accuracy: number };
    expect(stdout).toContain(`accuracy ${(accuracy * 100).toFixed(2)} %`);
  }, 60_000);
});
