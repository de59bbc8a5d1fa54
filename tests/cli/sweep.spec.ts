import { access, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { LockstepProcess, type Ended } from '../support/processes.ts';
import { lockstep } from './lockstep.ts';

const SMALL = ['--model', 'mlp', '--engine', 'javascript', '--data.limit', '160', '--data.validation', '0.2'];
const GRID = ['--grid', 'optimizer.learningRate=1e-3,1e-2', '--grid', 'globalBatchSize=8,16'];

interface Report {
  readonly best: { readonly trial: number; readonly run: string; readonly command: string } | null;
  readonly trials: readonly { readonly trial: number; readonly run: string; readonly score: number | null; readonly epochs: number; readonly parametersSha256: string | null; readonly failure: string | null }[];
}

let runs: string;
beforeAll(async () => { runs = await mkdtemp(join(tmpdir(), 'lockstep-sweep-')); });
afterAll(() => rm(runs, { recursive: true, force: true }));

const sweep = (...flags: readonly string[]) => lockstep('sweep', '--runs-dir', runs, '--workers', '1', ...flags);

async function reportOf(...flags: readonly string[]): Promise<Report> {
  const { exitCode, stdout, stderr } = await sweep('--json', ...flags);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  return JSON.parse(stdout) as Report;
}

const resultsOf = ({ trials }: Report) => trials.map(({ trial, run, score, epochs, parametersSha256, failure }) => ({ trial, run, score, epochs, parametersSha256, failure }));

const metricsOf = (run: string): Promise<string> => readFile(join(runs, run, 'metrics.jsonl'), 'utf8');

/** Sends the signal when a checkpoint of the run is there, and waits for the end. */
async function stopAtCheckpoint(run: string, signal: NodeJS.Signals, ...flags: readonly string[]): Promise<Ended> {
  const running = new LockstepProcess(['sweep', '--runs-dir', runs, '--workers', '1', ...flags]);
  await vi.waitFor(async () => expect(await readdir(join(runs, run, 'checkpoints'))).toContainEqual(expect.stringMatching(/^step-\d+$/)), { timeout: 60_000, interval: 20 });
  running.child.kill(signal);
  return running.ended;
}

describe('a grid of four trials', () => {
  it('comes to the same weights after a kill and after Ctrl-C, no trial being made twice', async () => {
    const flags = [...SMALL, ...GRID, '--epochs', '2', '--checkpoints.every-steps', '4'];
    const quiet = await reportOf('--name', 'quiet', '--parallel', '2', ...flags);
    expect(quiet.trials.map(({ trial }) => trial).toSorted()).toEqual([0, 1, 2, 3]);
    expect(new Set(quiet.trials.map(({ parametersSha256 }) => parametersSha256)).size).toBe(4);

    await stopAtCheckpoint('stopped/trial-001', 'SIGKILL', '--name', 'stopped', ...flags);
    const first = await metricsOf('stopped/trial-000');
    const interrupted = await stopAtCheckpoint('stopped/trial-002', 'SIGINT', '--resume', 'stopped');
    expect(interrupted).toMatchObject({ exitCode: 1, stderr: 'error: stopped by SIGINT\nhint: go on with: lockstep sweep --resume stopped\n' });
    const resumed = await reportOf('--resume', 'stopped');

    expect(resultsOf(resumed)).toEqual(resultsOf(quiet));
    expect(await metricsOf('stopped/trial-000')).toBe(first);
    for (const run of ['stopped/trial-001', 'stopped/trial-002']) expect(await metricsOf(run)).toMatch(/"resumedFrom":[1-9]/);
    await access(join(runs, 'stopped', 'sweep.html'));
  });

  it('shows what it has when there is nothing left to train, and refuses other trials', async () => {
    const { exitCode, stdout } = await sweep('--resume', 'quiet');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^4 of 4 {2}trial-003 .*validation\.loss/m);
    expect(stdout).toMatch(/^trial {2}optimizer\.learningRate {2}globalBatchSize {2}validation\.loss {2}epochs/m);
    expect(await sweep('--resume', 'quiet', '--epochs', '3')).toMatchObject({ exitCode: 2, stderr: 'error: --epochs and --resume exclude each other: a sweep that goes on keeps what it was begun with\n' });
    expect(await sweep('--name', 'quiet', ...SMALL, ...GRID)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('lockstep sweep --resume quiet') });
  });

  it('has runs like any others', async () => {
    expect(await lockstep('verify', 'quiet/trial-001', 'stopped/trial-001', '--runs-dir', runs)).toMatchObject({ exitCode: 0 });
  });
});

describe('successive halving', () => {
  it('goes on with the best trials as if they had never paused, and notes one that failed', async () => {
    const { best, trials } = await reportOf('--name', 'halved', ...SMALL, '--global-batch-size', '16', '--optimizer', 'sgd', '--grid', 'optimizer.learningRate=0.05,1e38,0.1,0.001',
      '--halving', '--budget-epochs', '1..3', '--factor', '3', '--parallel', '2');
    expect(trials.map(({ trial, epochs }) => ({ trial, epochs }))).toEqual([{ trial: best!.trial, epochs: 3 }, expect.objectContaining({ epochs: 1 }), expect.objectContaining({ epochs: 1 }), { trial: 1, epochs: 0 }]);
    expect(trials.at(-1)!.failure).toContain('the loss is NaN');
    const again = await lockstep(...best!.command.split(' ').slice(2), '--workers', '2', '--runs-dir', runs, '--run', 'again');
    expect(again.exitCode).toBe(0);
    expect(again.stdout).toContain(`Parameters SHA-256: ${trials[0]!.parametersSha256}`);
  });
});

describe('a sweep that cannot succeed', () => {
  it('says all mistakes and writes nothing', async () => {
    const before = await readdir(runs);
    const { exitCode, stdout, stderr } = await sweep(...SMALL, '--grid', 'optimizer.learnRate=1,2', '--grid', 'globalBatchSize=0,32', '--random', 'model.dropout=1..2', '--trials', '2');
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr.split('\n')).toEqual(expect.arrayContaining([
      'error: optimizer.learnRate: unknown field, did you mean optimizer.learningRate? (from --grid)',
      'error: globalBatchSize: got 0, expected a whole number, at least 1 (from --global-batch-size)',
      expect.stringMatching(/^error: model\.dropout: got 1\.\d+, expected .* \(from --model\.dropout\)$/),
    ]));
    expect(await readdir(runs)).toEqual(before);
  });

  it.each([
    [['--grid', 'epochs=1,2'], 'error: data.validation: got 0, expected a share above 0: trials are compared by validation.loss\nhint: hold samples out, --data.validation 0.1, or compare the losses on the test set with --metric loss\n'],
    [['--data.validation', '0.1'], 'error: nothing to try\nhint: say --grid FIELD=VALUE,VALUE or --random FIELD=LOW..HIGH --trials N\n'],
    [['--grid', 'epochs=1,2', '--halving'], 'error: --halving goes with one of --budget-epochs MIN..MAX and --budget-steps MIN..MAX\n'],
    [['--grid', 'epochs=1,2', '--epochs', '3', '--metric', 'loss'], 'error: epochs: got a list or range and --epochs, expected one of them\n'],
    [['--grid', 'epochs=1,2', '--data.validation', '0.1', '--halving', '--budget-epochs', '1..3'], 'error: epochs: the budget of --halving says it, leave it out\n'],
  ])('%j', async (flags, stderr) => {
    expect(await sweep(...flags)).toEqual({ exitCode: 2, stdout: '', stderr });
  });

  it('does not go on with another config file than it was begun with', async () => {
    const config = join(runs, 'changing.config.ts');
    await writeFile(config, 'export default { loss: "meanSquaredError" };\n');
    expect((await sweep('--name', 'changed', '--config', config, ...SMALL, '--global-batch-size', '16', '--epochs', '1', '--optimizer', 'sgd', '--grid', 'optimizer.learningRate=1e38', '--metric', 'loss')).exitCode).toBe(1);
    await writeFile(config, 'export default { seed: 1 };\n');
    const { exitCode, stderr } = await sweep('--resume', 'changed');
    expect(exitCode).toBe(2);
    expect(stderr).toContain('sweep changed: the config of trial 0 is not what it was when the sweep began');
  });
});
