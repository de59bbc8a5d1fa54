import { mkdtemp, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRunDirectory, encodeSafetensors, openReceiptWriter, writeCheckpoint, type Receipt } from '@lockstep/checkpoint';
import { bytesOf, layOutParameters, sha256, type Numerics } from '@lockstep/core';
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
  /** Of the three micro-batches of step 2. */
  readonly digests?: string;
  /** Versions to the first weight that their checkpoint has. */
  readonly checkpoints?: Readonly<Record<number, number>>;
}

/** A run of four steps whose loss falls, with one thing changed. */
async function makeRun(name: string, { lossOfStep2 = 0.1 + 0.2, intraOpThreads = 1, bias = 6, steps = 4, digests = '0000000a0000000b0000000c', checkpoints = {} }: Change = {}): Promise<void> {
  const run = await createRunDirectory(runs, name);
  const { writer: receipts } = await openReceiptWriter(run.file('receipts.jsonl'), { resumeAt: null, stepsPerEpoch: 4 });
  const head: Receipt = { kind: 'run', formatVersion: 1, configSha256: sha256('config'), numerics: { ...numerics, intraOpThreads }, seed: 42, wire: 'float32', parameterWire: 'float32', parameters: 6 };
  receipts.write(head);
  [0.9, 0.5, lossOfStep2, 0.2].slice(0, steps).forEach((loss, step) => {
    receipts.write({ kind: 'step', step, version: step + 1, loss, numExamples: 256, numCorrect: 1, lossSum: 256 * loss, digests: step === 2 ? digests : '', parametersSha256: null });
  });
  if (steps === 4) receipts.write({ kind: 'end', version: 4, parametersSha256: sha256('the same') });
  await receipts.close();
  await run.writeAtomically('model.safetensors', encodeSafetensors(layout, Float32Array.of(1, 2, 3, 4, 5, bias), {}));
  for (const [version, weight] of Object.entries(checkpoints)) {
    await writeCheckpoint(run, {
      runId: name, configSha256: sha256('config'), version: Number(version), epoch: 0, samplesIntoEpoch: 0, seed: 42, layout,
      parameters: Float32Array.of(weight, 2, 3, 4, 5, 6), parametersSha256: sha256(bytesOf(Float32Array.of(weight, 2, 3, 4, 5, 6))), slots: [{ name: 'exp_avg', data: new Float32Array(6) }],
      progress: { best: null, trainSeconds: 0, numExamples: 0 },
    });
  }
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
      makeRun('other-gradient', { digests: '0000000a0000000d0000000c', lossOfStep2: 0.3 }),
      makeRun('checkpoints', { checkpoints: { 1: 1, 2: 1, 3: 1 } }),
      makeRun('same-checkpoints', { checkpoints: { 2: 1, 3: 1 } }),
      makeRun('other-checkpoints', { digests: '0000000a0000000b0000000d', checkpoints: { 1: 1, 2: 1, 3: 1.5 } }),
      makeRun('damaged-checkpoint', { checkpoints: { 2: 1, 3: 1.5 } }).then(() => truncate(join(runs, 'damaged-checkpoint/checkpoints/step-00000003/parameters.safetensors'), 9)),
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

  it('names the micro-batch whose gradient differs', async () => {
    expect((await verify('first', 'other-gradient')).stdout).toMatch(/^differ: step 2, micro-batch 1: gradient 0000000b in first, 0000000d in other-gradient\n/);
  });

  it('names the tensors of the first checkpoint that differs, and those before that are the same', async () => {
    const { exitCode, stdout } = await verify('checkpoints', 'other-checkpoints');
    expect(exitCode).toBe(1);
    expect(stdout.split('\n')).toEqual([
      'differ: step 2, micro-batch 2: gradient 0000000c in checkpoints, 0000000d in other-checkpoints',
      '  the same checkpoints: version 1, 2',
      '  1 tensor of the checkpoints of version 3 differs:',
      '  dense/kernel: 1 of 4 elements, by up to 0.500',
      '',
    ]);
    expect((await verify('checkpoints', 'same-checkpoints')).stdout).toBe('same: checkpoints and same-checkpoints, all 4 steps\n  the same checkpoints: version 2, 3\n  the final models are the same\n');
  });

  it('leaves a damaged checkpoint out, and says so', async () => {
    const { exitCode, stdout } = await verify('checkpoints', 'damaged-checkpoint');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/\n {2}a checkpoint is left out: cannot read .*damaged-checkpoint\/checkpoints\/step-00000003\/parameters\.safetensors: it has 9 bytes, expected \d+\n {2}the same checkpoint: version 2\n/);
  });

  it('exits with 2 where a run is missing', async () => {
    const { exitCode, stdout, stderr } = await verify('first', 'frist');
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain(`error: no run frist in ${runs}`);
    expect(stderr).toContain('hint: runs there: broken-off, checkpoints,');
  });
});

describe('two runs of which one has one bit flipped in one micro-batch', () => {
  const CONFIGS = { sound: 'sound.config.ts', again: 'sound.config.ts', 'one-bit': 'flipped.config.ts' };
  beforeAll(async () => {
    for (const [name, config] of Object.entries(CONFIGS)) {
      const workers = name === 'again' ? '2' : '1';
      const { exitCode, stderr } = await lockstep('train', '--config', join(import.meta.dirname, config), '--runs-dir', runs, '--run', name, '--workers', workers);
      expect({ exitCode, stderr }, name).toEqual({ exitCode: 0, stderr: '' });
    }
  }, 120_000);

  it('differ from that micro-batch on, and the first checkpoint after it names the tensors', async () => {
    const { exitCode, stdout } = await verify('sound', 'one-bit', '--json');
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      same: false,
      receipts: { firstDifference: { step: 2, field: 'digests', microBatches: [expect.any(Number)], a: expect.stringMatching(/^[0-9a-f]{8}$/) as string } },
      checkpoints: { versions: [1, 2, 3], firstDifference: { version: 3 }, skipped: [] },
    });
    const lines = (await verify('sound', 'one-bit')).stdout.split('\n');
    expect(lines.slice(0, 3)).toEqual([
      expect.stringMatching(/^differ: step 2, micro-batch \d: gradient [0-9a-f]{8} in sound, [0-9a-f]{8} in one-bit$/),
      '  the same checkpoints: version 1, 2',
      expect.stringMatching(/^ {2}\d+ tensors of the checkpoints of version 3 differ:$/),
    ]);
    expect(lines[3]).toMatch(/^ {2}hidden\/kernel: \d+ of 6272 elements, by up to /);
  });

  it('are the same but for the bit: without it, whatever the number of workers', async () => {
    expect(await verify('sound', 'again')).toEqual({
      exitCode: 0, stderr: '', stdout: 'same: sound and again, all 5 steps\n  the same checkpoints: version 1, 2 … 5\n  the final models are the same\n',
    });
  });
});
