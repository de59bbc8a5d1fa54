import { join } from 'node:path';
import { medianOf } from '@lockstep/core';
import { limitRate, Network, requireTools } from '@lockstep/testbed';
import type { BenchRow } from '../bench-row.ts';
import { pairedRatio } from '../statistics.ts';
import { GRADIENT_MB, trainAcross, type Across } from './train-across.ts';

const LINE_KILOBITS = 1_000_000;

export interface RelayBenchOptions {
  readonly repetitions: number;
  readonly quick: boolean;
  readonly directory: string;
  readonly signal: AbortSignal;
}

/** Training with several workers on one host and the shards on another: with the relay of that host, and without. */
export async function benchRelays(options: RelayBenchOptions): Promise<readonly BenchRow[]> {
  const unable = await requireTools('training between hosts').then(() => null, (error: Error) => error.message);
  const rows: BenchRow[] = [];
  for (const workers of options.quick ? [2] : [2, 4]) rows.push(unable === null ? await measure(workers, options) : { ...blankRow(workers), note: `skipped: ${unable}` });
  return rows;
}

async function measure(workers: number, { repetitions, quick, directory, signal }: RelayBenchOptions): Promise<BenchRow> {
  await using network = await Network.create(`lockstep-relay-${process.pid}`);
  const hosts = [await network.host('shards'), await network.host('workers')] as const;
  for (const host of hosts) await limitRate(host, LINE_KILOBITS);
  const [relayed, direct]: [Across[], Across[]] = [[], []];
  for (let round = 1; round <= repetitions; round += 1) {
    for (const [into, oneName] of [[relayed, true], [direct, false]] as const) {
      into.push(await trainAcross({ hosts, workers, oneName, steps: quick ? 60 : 200, directory: join(directory, `relay-${workers}-${round}-${into === relayed ? 'with' : 'without'}`), signal }));
    }
    process.stderr.write(`${blankRow(workers).name}, round ${round} of ${repetitions}: ${describe(relayed.slice(-1))}, without ${describe(direct.slice(-1))}\n`);
  }
  // Steps a second.
  const { median, least, greatest } = pairedRatio(relayed.map(({ msPerStep }) => 1 / msPerStep), direct.map(({ msPerStep }) => 1 / msPerStep));
  return { ...blankRow(workers), ours: describe(relayed), peer: `${describe(direct)}, no relay`, ratio: median, range: { least, greatest } };
}

const blankRow = (workers: number): BenchRow => ({
  group: 'j', name: `${workers} workers on one host, shards on another, 1 Gbit/s, MLP of ${GRADIENT_MB.toFixed(2)} MB`, ours: '–', peer: '–', ratio: null, range: null, goal: 1,
});

const describe = (runs: readonly Across[]): string => `${medianOf(runs.map(({ msPerStep }) => msPerStep)).toFixed(1)} ms and ${medianOf(runs.map(({ mbPerStep }) => mbPerStep)).toFixed(2)} MB a step`;
