import type { BenchRow } from './bench-row.ts';

const HEADINGS = ['', 'what', 'Lockstep', 'beside it', 'ratio', 'least–greatest', 'goal', ''];
const RIGHT_ALIGNED = new Set([2, 4, 5, 6]);

/** One line a row, columns aligned, notes numbered below. */
export function renderTable(rows: readonly BenchRow[]): string {
  const notes = [...new Set(rows.flatMap(({ note }) => note ?? []))];
  const cells = [HEADINGS, ...rows.map((row) => cellsOf(row, notes))];
  const widths = HEADINGS.map((_, column) => Math.max(...cells.map((line) => line[column]!.length)));
  const lines = cells.map((line) => line.map((cell, column) => pad(cell, widths[column]!, RIGHT_ALIGNED.has(column))).join('  ').trimEnd());
  const rule = '─'.repeat(Math.max(...lines.map(({ length }) => length)));
  const [heading, ...body] = lines;
  return [heading, rule, ...body, ...notes.map((note, index) => `[${index + 1}] ${note}`)].join('\n');
}

function cellsOf({ group, name, ours, peer, ratio, range, goal, note }: BenchRow, notes: readonly string[]): string[] {
  return [
    group, name, ours, peer,
    ratio === null ? '–' : ratio.toFixed(2),
    range === null ? '' : `${range.least.toFixed(2)}–${range.greatest.toFixed(2)}`,
    goal === null ? '' : verdict(goal, ratio),
    note === undefined ? '' : `[${notes.indexOf(note) + 1}]`,
  ];
}

function verdict(goal: number, ratio: number | null): string {
  if (ratio === null) return `≥ ${goal.toFixed(2)}`;
  return `≥ ${goal.toFixed(2)} ${ratio >= goal ? 'met' : 'missed'}`;
}

function pad(cell: string, width: number, right: boolean): string {
  return right ? cell.padStart(width) : cell.padEnd(width);
}
