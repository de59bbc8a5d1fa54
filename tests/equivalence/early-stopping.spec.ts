import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sha256, type EndEvent, type EpochEvent } from '@lockstep/core';
import { decodeSafetensors } from '@lockstep/checkpoint';
import { lockstepEvents } from '../support/processes.ts';

/** A learning rate so high that validation loss soon gets worse. */
const FLAGS = [
  '--model', 'mlp', '--data.limit', '400', '--data.validation', '0.25', '--global-batch-size', '32', '--epochs', '30', '--optimizer', 'adam',
  '--optimizer.learning-rate', '0.03', '--early-stopping.patience', '2', '--keep-best', '--failure-detection-ms', '20000',
];

describe('early stopping with the best weights kept', () => {
  let runsDirectory: string;
  const runs = new Map<number, { readonly end: EndEvent; readonly epochs: readonly EpochEvent[] }>();

  beforeAll(async () => {
    runsDirectory = await mkdtemp(join(tmpdir(), 'lockstep-stopping-'));
    for (const workers of [1, 3]) {
      const { exitCode, stderr, events } = await lockstepEvents('train', '--runs-dir', runsDirectory, '--run', `workers-${workers}`, '--workers', String(workers), ...FLAGS);
      expect(stderr).toBe('');
      expect(exitCode).toBe(0);
      runs.set(workers, { end: events.at(-1) as EndEvent, epochs: events.filter((event) => event.event === 'epoch') });
    }
  });
  afterAll(() => rm(runsDirectory, { recursive: true, force: true }));

  it('stops after as many epochs without improvement as its patience', () => {
    const { end, epochs } = runs.get(1)!;
    const losses = epochs.map(({ validation }) => validation?.loss ?? NaN);
    const best = losses.indexOf(Math.min(...losses));
    expect(end.stoppedEarly).toMatch(/validation loss has not improved/);
    expect(epochs).toHaveLength(best + 1 + 2);
    expect(end).toMatchObject({ epochs: epochs.length, steps: epochs.length * 10 });
  });

  it('ends with the weights of the epoch of least validation loss, also in the files', async () => {
    const { end, epochs } = runs.get(1)!;
    const best = epochs.toSorted((a, b) => (a.validation?.loss ?? 0) - (b.validation?.loss ?? 0))[0];
    expect(end.parametersSha256).toBe(best?.parametersSha256);
    expect(end.parametersSha256).not.toBe(epochs.at(-1)?.parametersSha256);
    const { tensors } = decodeSafetensors(await readFile(join(end.directory, 'model.safetensors')));
    expect(sha256(...tensors.map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)))).toBe(end.parametersSha256);
  });

  it('decides the same for any number of workers', () => {
    const [one, three] = [runs.get(1)!, runs.get(3)!];
    expect(three.epochs.map(({ validation }) => validation)).toEqual(one.epochs.map(({ validation }) => validation));
    expect(three.end.parametersSha256).toBe(one.end.parametersSha256);
    expect(three.end.stoppedEarly).toBe(one.end.stoppedEarly);
    expect(three.end.test).toEqual(one.end.test);
  });
});
