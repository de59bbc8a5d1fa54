import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createReceiptWriter, createRunDirectory, encodeSafetensors, type Receipt } from '@lockstep/checkpoint';
import { layOutParameters, sha256, type Numerics } from '@lockstep/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lockstep } from './lockstep.ts';

const numerics: Numerics = {
  engineBuild: 'tensorflow 2.21.0 cpu', device: 'cpu', gpuKind: null, intraOpThreads: 1, oneDnn: true, instructionSet: 'AVX2', deterministicOps: true,
};
const layout = layOutParameters([{ name: 'dense/kernel', shape: [2, 2], kind: 'trainable' }, { name: 'dense/bias', shape: [2], kind: 'trainable' }]);

let runs: string;
beforeAll(async () => { runs = await mkdtemp(join(tmpdir(), 'lockstep-verify-')); });
afterAll(() => rm(runs, { recursive: true, force: true }));

interface Change {
  readonly lossOfStep2?: number;
  readonly intraOpThreads?: number;
  readonly bias?: number;
  readonly steps?: number;
}

/** A run of four steps whose loss falls, with one thing changed. */
async function makeRun(name: string, { lossOfStep2 = 0.1 + 0.2, intraOpThreads = 1, bias = 6, steps = 4 }: Change = {}): Promise<void> {
  const run = await createRunDirectory(runs, name);
  const receipts = createReceiptWriter(run.file('receipts.jsonl'));
  const head: Receipt = { kind: 'run', formatVersion: 1, configSha256: sha256('config'), numerics: { ...numerics, intraOpThreads }, seed: 42, parameters: 6 };
  receipts.write(head);
  [0.9, 0.5, lossOfStep2, 0.2].slice(0, steps).forEach((loss, step) => {
    receipts.write({ kind: 'step', step, version: step + 1, loss, numExamples: 256, parametersSha256: null });
  });
  if (steps === 4) receipts.write({ kind: 'end', version: 4, parametersSha256: sha256('the same') });
  await receipts.close();
  await run.writeAtomically('model.safetensors', encodeSafetensors(layout, Float32Array.of(1, 2, 3, 4, 5, bias), {}));
}

const verify = (a: string, b: string, ...flags: string[]) => lockstep('verify', a, b, '--runs-dir', runs, ...flags);

describe('lockstep verify', () => {
  beforeAll(async () => {
    await Promise.all([
      makeRun('first'),
      makeRun('second'),
      makeRun('flipped', { lossOfStep2: 0.3, intraOpThreads: 2, bias: 6.5 }),
      makeRun('broken-off', { steps: 2 }),
      makeRun('other-model', { bias: 7 }),
    ]);
  });

  it('says that two runs are the same, by name or path', async () => {
    expect(await verify('first', 'second')).toEqual({ exitCode: 0, stderr: '', stdout: 'same: first and second, all 4 steps\n  the final models are the same\n' });
    expect(await verify(join(runs, 'first'), 'second')).toMatchObject({ exitCode: 0 });
  });

  it('names the first step and field where one bit of a loss differs, the tensors and the settings', async () => {
    const { exitCode, stdout, stderr } = await verify('first', 'flipped');
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: '' });
    expect(stdout.split('\n')).toEqual([
      'differ: step 2, loss: 0.30000000000000004 in first, 0.3 in flipped',
      '  1 tensor of the final models differs:',
      '  dense/bias: 1 of 2 elements, by up to 0.500',
      '  numerics.intraOpThreads: 1 in first, 2 in flipped',
      '',
    ]);
  });

  it('gives the same as JSON', async () => {
    const { exitCode, stdout } = await verify('first', 'flipped', '--json');
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      same: false,
      receipts: { same: false, firstDifference: { step: 2, field: 'loss', a: 0.1 + 0.2, b: 0.3 } },
      tensors: [{ name: 'dense/bias', numDifferent: 1 }],
      settings: [{ field: 'numerics.intraOpThreads', a: '1', b: '2' }],
    });
  });

  it('says which run breaks off', async () => {
    expect(await verify('first', 'broken-off')).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('differ: step 2: first goes on, broken-off breaks off') as string });
  });

  it('sees a model that is not the one of its receipts', async () => {
    expect(await verify('first', 'other-model')).toMatchObject({ exitCode: 1, stdout: expect.stringMatching(/^differ: the receipts are the same, the final models are not/) as string });
  });

  it('exits with 2 where a run is missing', async () => {
    const { exitCode, stdout, stderr } = await verify('first', 'frist');
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain(`error: no run frist in ${runs}`);
    expect(stderr).toContain('hint: runs there: broken-off, first,');
  });
});
