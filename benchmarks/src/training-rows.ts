import { medianOf } from '@lockstep/core';
import type { BenchRow, Group } from './bench-row.ts';
import { COMPARISONS, type Comparison } from './comparisons.ts';
import type { ContestantName } from './contestants/index.ts';
import type { Measurement } from './measurement.ts';
import type { Rounds } from './rounds.ts';
import { pairedRatio } from './statistics.ts';
import { MODEL_NAMES, type BenchModel } from './workload.ts';

/** Checkpoints every 50 steps are to cost less than 2 %. */
const CHECKPOINT_GOAL = 0.98;

/** Who must run for the rows of these groups, in the order of their turns. */
export function contestantsFor(groups: readonly Group[], withTorch: boolean): readonly ContestantName[] {
  const compared = COMPARISONS.filter(({ group }) => groups.includes(group)).flatMap(({ ours, peer }) => [ours, peer]);
  const names = new Set<ContestantName>([...compared, ...(groups.includes('d') ? ['twoWorkers' as const] : []), ...(groups.includes('f') ? ['checkpointing' as const] : [])]);
  if (!withTorch) names.delete('torchDdp');
  return [...names];
}

/** The rows of a model that its rounds give. */
export function trainingRows(groups: readonly Group[], model: BenchModel, rounds: Rounds): readonly BenchRow[] {
  const rows = COMPARISONS.filter(({ group }) => groups.includes(group)).map((comparison) => comparisonRow(comparison, model, rounds));
  if (groups.includes('d')) rows.push(outsideRow(model, rounds.get('twoWorkers') ?? []));
  if (groups.includes('f')) rows.push(checkpointRow(model, rounds.get('checkpointing') ?? []));
  return rows;
}

function comparisonRow({ group, what, ours, peer, peerName, goal }: Comparison, model: BenchModel, rounds: Rounds): BenchRow {
  const [own, theirs] = [ratesOf(rounds, ours), ratesOf(rounds, peer)];
  const row = { group, name: `${MODEL_NAMES[model]}: ${what}`, ours: `${rate(own)} images/s`, goal: goal?.[model] ?? null };
  if (theirs.length === 0) return { ...row, peer: '–', ratio: null, range: null, note: 'skipped: PyTorch is not installed (docs/benchmarks.md says how)' };
  const { median, least, greatest } = pairedRatio(own, theirs);
  return { ...row, peer: `${rate(theirs)}, ${peerName}`, ratio: median, range: { least, greatest } };
}

/** The gradient's share of a step, so that here too more is better. */
function outsideRow(model: BenchModel, measurements: readonly Measurement[]): BenchRow {
  const steps = measurements.flatMap(({ steps: times }) => times ?? []);
  const { median, least, greatest } = pairedRatio(steps.map(({ stepMs, outsideMs }) => stepMs - outsideMs), steps.map(({ stepMs }) => stepMs));
  return {
    group: 'd',
    name: `${MODEL_NAMES[model]}: step outside the gradient, 2 workers`,
    ours: `${medianOf(steps.map(({ outsideMs }) => outsideMs)).toFixed(2)} ms`,
    peer: `${medianOf(steps.map(({ stepMs }) => stepMs)).toFixed(2)} ms, whole step`,
    ratio: median, range: { least, greatest }, goal: null,
    note: "the ratio is the share of the step's time that the slowest worker's gradient takes",
  };
}

/** Within each run: the steps that bear a checkpoint beside those that do not. */
function checkpointRow(model: BenchModel, measurements: readonly Measurement[]): BenchRow {
  const bearing = measurements.map(({ examplesPerSecond }) => examplesPerSecond);
  const free = measurements.flatMap(({ withoutCheckpoints }) => withoutCheckpoints ?? []);
  const { median, least, greatest } = pairedRatio(bearing, free);
  return {
    group: 'f',
    name: `${MODEL_NAMES[model]}: 2 workers, a checkpoint every 50 steps against none`,
    ours: `${rate(bearing)} images/s`,
    peer: `${rate(free)}, none`,
    ratio: median, range: { least, greatest }, goal: CHECKPOINT_GOAL,
    note: 'within each run: the 50 steps after a checkpoint beside the 50 after those',
  };
}

function ratesOf(rounds: Rounds, name: ContestantName): readonly number[] {
  return rounds.get(name)?.map(({ examplesPerSecond }) => examplesPerSecond) ?? [];
}

function rate(rates: readonly number[]): string {
  return Math.round(medianOf(rates)).toLocaleString('en');
}
