import type { StruckFault } from './play-faults.ts';

export interface FaultRow {
  readonly label: string;
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly worstMs: number;
  /** In all, and of the fault that cost most. */
  readonly stepsLost: number;
  readonly mostStepsLost: number;
}

/** A row a kind of fault, by name; the last two over all that struck a single process, and over all. */
export function tabulate(faults: readonly StruckFault[]): readonly FaultRow[] {
  const kinds = Map.groupBy(faults, ({ label }) => label);
  const rows = [...kinds].toSorted(([a], [b]) => a.localeCompare(b)).map(([label, ofKind]) => rowOf(label, ofKind));
  const ofOne = faults.filter(({ isOfOne }) => isOfOne);
  return [...rows, ...(ofOne.length === 0 ? [] : [rowOf('all upon one process', ofOne)]), ...(faults.length === 0 ? [] : [rowOf('all', faults)])];
}

function rowOf(label: string, faults: readonly StruckFault[]): FaultRow {
  const recoveries = faults.map(({ recoveryMs }) => recoveryMs).toSorted((a, b) => a - b);
  const lost = faults.map(({ stepsLost }) => stepsLost);
  return {
    label, count: faults.length, p50Ms: percentile(recoveries, 0.5), p99Ms: percentile(recoveries, 0.99), worstMs: recoveries.at(-1) ?? 0,
    stepsLost: lost.reduce((sum, steps) => sum + steps, 0), mostStepsLost: Math.max(...lost),
  };
}

/** The least value that so large a part of `sorted` does not exceed (nearest rank). */
export function percentile(sorted: readonly number[], part: number): number {
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? 0;
}

/** As a Markdown table. */
export function renderTable(rows: readonly FaultRow[]): string {
  const seconds = (ms: number) => (ms / 1000).toFixed(2);
  const header = ['fault', 'count', 'recovered p50, s', 'p99, s', 'worst, s', 'steps lost', 'most by one'];
  const cells = rows.map(({ label, count, p50Ms, p99Ms, worstMs, stepsLost, mostStepsLost }) =>
    [label, String(count), seconds(p50Ms), seconds(p99Ms), seconds(worstMs), String(stepsLost), String(mostStepsLost)]);
  const widths = header.map((title, column) => Math.max(title.length, ...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) => `| ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |`;
  const rule = `| ${widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [line(header), rule, ...cells.map(line)].join('\n');
}
