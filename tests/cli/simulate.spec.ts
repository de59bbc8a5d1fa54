import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lockstep } from './lockstep.ts';

let directory: string;
beforeAll(async () => { directory = await mkdtemp(join(tmpdir(), 'lockstep-simulate-')); });
afterAll(() => rm(directory, { recursive: true, force: true }));

describe('lockstep simulate', () => {
  it('prints a line for each number of workers, where the time goes, and draws it', async () => {
    const plot = join(directory, 'plot.svg');
    const { exitCode, stdout, stderr } = await lockstep('simulate', '--preset', 'cnn-25g,cnn-25g-workers', '--workers', '1,2,16', '--plot', plot);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatch(/^cnn-25g\n\nworkers {2}hosts {2}shards {5}step {2}samples\/s {2}efficiency {2}compute/);
    expect(stdout).toMatch(/^ {6}1 {6}1 {7}1 .* 100\.0 % /m);
    expect(stdout).toMatch(/^ {6}1 {2}#{30,}.*$/m);
    expect(stdout.match(/^ +16 +2 /gm)).toHaveLength(2);
    const drawing = await readFile(plot, 'utf8');
    expect(drawing.startsWith('<svg ')).toBe(true);
    expect(drawing).toContain('>cnn-25g-workers</text>');
  });

  it('lays a file and flags over a preset, and gives the same as JSON each time', async () => {
    const file = join(directory, 'cluster.json');
    await writeFile(file, JSON.stringify({ linkGbps: 100, microBatchMs: [10, 20] }));
    const ask = () => lockstep('simulate', '--preset', 'cnn-25g', '--cluster', file, '--shard-hosts', 'workers', '--workers', '4', '--json');
    const [first, second] = [await ask(), await ask()];
    expect(first).toEqual(second);
    expect(JSON.parse(first.stdout)).toMatchObject({ clusters: [{
      name: 'cnn-25g', cluster: { linkGbps: 100, microBatchMs: [10, 20], shardHosts: ['workers'] }, predictions: [{ workers: 4, hosts: 1, shards: 4, efficiency: 1 }],
    }] });
  });

  it('names the field that is wrong, and where it was said', async () => {
    const file = join(directory, 'wrong.json');
    await writeFile(file, JSON.stringify({ linkGbs: 25, delayMs: -1 }));
    expect(await lockstep('simulate', '--cluster', file, '--micro-batches', '3')).toEqual({
      exitCode: 2, stdout: '',
      stderr: `error: microBatches: got 3, expected a power of two (from --micro-batches)\nerror: delayMs: got -1, expected a number, at least 0 (from ${file})\nerror: linkGbs: unknown field, did you mean linkGbps? (from ${file})\n`,
    });
  });
});

describe('beside real runs', () => {
  it('fits a description to runs with 1 and 2 workers, and says how far predictions are off', async () => {
    const runs = join(directory, 'runs');
    for (const workers of ['1', '2']) {
      const { exitCode, stderr } = await lockstep('train', '--model', 'mlp', '--data.limit', '4000', '--max-steps', '60', '--epochs', '9', '--workers', workers, '--runs-dir', runs, '--run', `with-${workers}`);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    }
    const machine = join(directory, 'machine.json');
    expect(await lockstep('simulate', '--runs-dir', runs, '--calibrate', 'with-1', 'with-2', '--out', machine)).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    expect(JSON.parse(await readFile(machine, 'utf8'))).toMatchObject({ parameters: 101_770, microBatches: 8, microBatchSize: 32, coordinatorOnFirstHost: true });
    const { exitCode, stdout } = await lockstep('simulate', '--runs-dir', runs, '--cluster', machine, '--compare', 'with-1', 'with-2', '--json');
    const { comparisons } = JSON.parse(stdout) as { comparisons: { run: string; workers: number; measuredMs: number; predictedMs: number; error: number }[] };
    expect(exitCode).toBe(0);
    expect(comparisons.map(({ run, workers }) => ({ run, workers }))).toEqual([{ run: 'with-1', workers: 1 }, { run: 'with-2', workers: 2 }]);
    for (const { measuredMs, predictedMs, error } of comparisons) expect(error).toBeCloseTo(predictedMs / measuredMs - 1);
  });

  it('says what a calibration lacks', async () => {
    expect(await lockstep('simulate', '--runs-dir', join(directory, 'runs'), '--calibrate', 'with-2')).toEqual({ exitCode: 2, stdout: '', stderr: 'error: no run with 1 worker among those to calibrate by\n' });
  });
});
