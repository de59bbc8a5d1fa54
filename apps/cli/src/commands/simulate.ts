import { availableParallelism } from 'node:os';
import { writeFile } from 'node:fs/promises';
import { LockstepError, messageOf } from '@lockstep/core';
import { calibrate, compareRuns, predictAll } from '@lockstep/simulation';
import { Command, InvalidArgumentError } from 'commander';
import { addClusterFlags, readClusterFlags } from '../simulate/cluster-fields.ts';
import { loadClusters } from '../simulate/load-cluster.ts';
import { readMeasuredRuns } from '../simulate/measured-runs.ts';
import { requirePlotName, writePlot } from '../simulate/plot-file.ts';
import { renderComparison } from '../simulate/render-comparison.ts';
import { renderPredictions } from '../simulate/render-predictions.ts';

interface SimulateOptions {
  readonly preset?: string;
  readonly cluster?: string;
  readonly workers: readonly number[];
  readonly steps: number;
  readonly seed: number;
  readonly json?: true;
  readonly plot?: string;
  readonly calibrate?: readonly string[];
  readonly compare?: readonly string[];
  readonly out?: string;
  readonly runsDir: string;
}

const WORKERS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];

export function simulateCommand(): Command {
  const command = new Command('simulate')
    .description('Predict how training scales on a cluster that need not be there: step time, efficiency and where the time goes, by a model that runs the real assignment code.')
    .option('--preset <names>', 'clusters to begin with, by commas')
    .option('--cluster <file>', 'a JSON file with fields of the cluster')
    .option('--workers <n,n,…>', 'numbers of workers', counts, WORKERS)
    .option('--steps <n>', 'steps simulated for each', (text: string) => counted(text), 10)
    .option('--seed <n>', 'of the jitter', seeded, 42)
    .option('--json', 'print one JSON object')
    .option('--plot <file>', 'draw it too, as .html or .svg')
    .option('--calibrate <runs...>', 'fit a description of this machine to runs with 1 and 2 workers, and print it')
    .option('--out <file>', 'write that description to a file, for --cluster')
    .option('--compare <runs...>', 'say how far predictions of these runs are off')
    .option('--runs-dir <dir>', 'where runs are', 'runs');
  return addClusterFlags(command).action(async (options: SimulateOptions, self: Command) => {
    const flags = readClusterFlags(self);
    if (options.calibrate !== undefined) return calibrateTo(options, options.calibrate, flags);
    if (options.compare !== undefined) return compareTo(options, options.compare, flags);
    return predictFor(options, flags);
  });
}

async function predictFor(options: SimulateOptions, flags: Readonly<Record<string, unknown>>): Promise<void> {
  if (options.plot !== undefined) requirePlotName(options.plot);
  const clusters = await loadClusters({ preset: options.preset, file: options.cluster, flags });
  const predicted = clusters.map(({ name, cluster }) => ({ name, cluster, predictions: predictAll(cluster, options.workers, options) }));
  console.log(options.json ? JSON.stringify({ clusters: predicted }) : predicted.map(({ name, predictions }) => renderPredictions(name, predictions)).join('\n\n'));
  if (options.plot === undefined) return;
  await writePlot(options.plot, predicted);
  if (!options.json) console.log(`\nwrote ${options.plot}`);
}

async function calibrateTo(options: SimulateOptions, names: readonly string[], flags: Readonly<Record<string, unknown>>): Promise<void> {
  const [known] = await loadClusters({ preset: options.preset, file: options.cluster, flags });
  const runs = await readMeasuredRuns(options.runsDir, names);
  const text = `${JSON.stringify(calibrate(runs, known?.cluster ?? {}, known?.cluster.cores ?? availableParallelism()), null, 2)}\n`;
  if (options.out === undefined) return void process.stdout.write(text);
  await writeFile(options.out, text).catch((cause: unknown) => {
    throw new LockstepError('usage', `${options.out}: cannot be written: ${messageOf(cause)}`, { cause });
  });
}

async function compareTo(options: SimulateOptions, names: readonly string[], flags: Readonly<Record<string, unknown>>): Promise<void> {
  const clusters = await loadClusters({ preset: options.preset, file: options.cluster, flags });
  const comparisons = compareRuns(clusters[0]!.cluster, await readMeasuredRuns(options.runsDir, names));
  console.log(options.json ? JSON.stringify({ comparisons }) : renderComparison(comparisons));
}

const MOST_WORKERS = 16_384;

function counted(text: string, least = 1, most = 10_000): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new InvalidArgumentError(`Expected a whole number from ${least} to ${most}.`);
}

const seeded = (text: string): number => counted(text, 0, Number.MAX_SAFE_INTEGER);
const counts = (text: string): number[] => text.split(',').map((part) => counted(part, 1, MOST_WORKERS));
