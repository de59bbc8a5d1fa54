import { join } from 'node:path';
import { medianOf } from '@lockstep/core';
import { limitRate, Network, requireTools, type Host } from '@lockstep/testbed';
import type { BenchRow } from '../bench-row.ts';
import { pairedRatio } from '../statistics.ts';
import { comparisonsAcross, type AcrossGroup, type Comparison } from './comparisons-across.ts';
import { trainAcross, type Across } from './train-across.ts';

const LINE_KILOBITS = 1_000_000;

export interface AcrossBenchOptions {
  readonly repetitions: number;
  readonly quick: boolean;
  readonly directory: string;
  readonly signal: AbortSignal;
}

/** Training with all workers on one host and the shards on another, in two ways each: milliseconds and megabytes a step. */
export async function benchAcross(group: AcrossGroup, options: AcrossBenchOptions): Promise<readonly BenchRow[]> {
  const unable = await requireTools('training between hosts').then(() => null, (error: Error) => error.message);
  const rows: BenchRow[] = [];
  for (const comparison of comparisonsAcross(group, options.quick)) rows.push(unable === null ? await measure(comparison, options) : { ...blankRow(comparison), note: `skipped: ${unable}` });
  return rows;
}

async function measure(comparison: Comparison, options: AcrossBenchOptions): Promise<BenchRow> {
  await using network = await Network.create(`lockstep-across-${process.pid}`);
  const hosts = [await network.host('shards'), await network.host('workers')] as const;
  for (const host of hosts) await limitRate(host, LINE_KILOBITS);
  const [ours, peer]: [Across[], Across[]] = [[], []];
  for (let round = 1; round <= options.repetitions; round += 1) {
    ours.push(await runOf(comparison, 'ours', round, hosts, options));
    peer.push(await runOf(comparison, 'peer', round, hosts, options));
    process.stderr.write(`${comparison.name}, round ${round} of ${options.repetitions}: ${describe(ours.slice(-1))}, ${comparison.peer.name} ${describe(peer.slice(-1))}\n`);
  }
  // Steps a second.
  const { median, least, greatest } = pairedRatio(ours.map(({ msPerStep }) => 1 / msPerStep), peer.map(({ msPerStep }) => 1 / msPerStep));
  return { ...blankRow(comparison), ours: describe(ours), peer: `${describe(peer)}, ${comparison.peer.name}`, ratio: median, range: { least, greatest } };
}

function runOf(comparison: Comparison, side: 'ours' | 'peer', round: number, hosts: readonly [Host, Host], { quick, directory, signal }: AcrossBenchOptions): Promise<Across> {
  const { group, workers } = comparison;
  const { oneName, flags } = comparison[side];
  return trainAcross({ hosts, workers, oneName, flags, steps: quick ? 60 : 200, directory: join(directory, `across-${group}-${workers}-${comparison[side].name.replaceAll(' ', '-')}-${round}`), signal });
}

const blankRow = ({ group, name, goal }: Comparison): BenchRow => ({ group, name, ours: '–', peer: '–', ratio: null, range: null, goal });

const describe = (runs: readonly Across[]): string => `${medianOf(runs.map(({ msPerStep }) => msPerStep)).toFixed(1)} ms and ${medianOf(runs.map(({ mbPerStep }) => mbPerStep)).toFixed(2)} MB a step`;
