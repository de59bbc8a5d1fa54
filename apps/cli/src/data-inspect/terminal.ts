import type { Inspection, LabelCount } from './inspection.ts';
import { createPainter, type Painter } from './half-blocks.ts';
import { cleaningLines, formatCount, samplesTitle, sizeLine, sourceName } from './summary.ts';
import { shrink } from './shrink.ts';

export interface TerminalSize {
  readonly columns: number;
  /** Bits a colour: 1, 4, 8 or 24. */
  readonly colorDepth: number;
}

const GRID = 3;
const GAP = '  ';
const LARGEST_CELL = 32;
const LARGEST_BAR = 40;

/** The whole inspection as text. */
export async function renderInspection(inspection: Inspection, size: TerminalSize): Promise<string> {
  const { config } = inspection;
  return [
    `${sourceName(config.data.source)}: ${sizeLine(inspection)}`, '',
    samplesTitle(inspection), ...(await gridLines(inspection, size)), '',
    ...histogramLines(inspection.labelCounts, size.columns), '',
    ...cleaningLines(inspection),
  ].join('\n');
}

async function gridLines({ samples, pictureShape }: Inspection, { columns, colorDepth }: TerminalSize): Promise<string[]> {
  const side = Math.max(8, Math.min(LARGEST_CELL, Math.floor((columns - GAP.length * (GRID - 1)) / GRID)));
  const paint = createPainter(colorDepth);
  const cells = await Promise.all(samples.map(async ({ pixels, className }) => {
    const picture = await shrink(pixels, pictureShape, side);
    return { caption: className.slice(0, picture.width).padEnd(picture.width), rows: paintRows(picture, paint) };
  }));
  const bands = Array.from({ length: Math.ceil(cells.length / GRID) }, (_, band) => cells.slice(band * GRID, (band + 1) * GRID));
  return bands.flatMap((band) => [
    band.map((cell) => cell.caption).join(GAP).trimEnd(),
    ...band[0]!.rows.map((_, row) => band.map((cell) => cell.rows[row]!).join(GAP)),
  ]);
}

function paintRows(picture: Awaited<ReturnType<typeof shrink>>, paint: Painter): string[] {
  return Array.from({ length: Math.ceil(picture.height / 2) }, (_, row) => paint(picture, 2 * row));
}

/** A bar a label for the training split, and the counts of each split. */
function histogramLines(counts: readonly LabelCount[], columns: number): string[] {
  const nameWidth = Math.min(20, Math.max(5, ...counts.map(({ className }) => className.length)));
  const numbers = ['training', 'validation', 'test'] as const;
  const numberWidth = 11;
  const barWidth = Math.max(8, Math.min(LARGEST_BAR, columns - nameWidth - 3 * numberWidth - 2));
  const largest = Math.max(1, ...counts.map(({ training }) => training));
  const heading = `${'label'.padEnd(nameWidth)}  ${''.padEnd(barWidth)}${numbers.map((name) => name.padStart(numberWidth)).join('')}`;
  const rows = counts.map((count) => {
    const cells = numbers.map((name) => formatCount(count[name]).padStart(numberWidth)).join('');
    return `${count.className.slice(0, nameWidth).padEnd(nameWidth)}  ${bar((count.training / largest) * barWidth).padEnd(barWidth)}${cells}`;
  });
  const total = numbers.map((name) => formatCount(counts.reduce((sum, count) => sum + count[name], 0)).padStart(numberWidth)).join('');
  return [heading, ...rows, `${'all'.padEnd(nameWidth)}  ${''.padEnd(barWidth)}${total}`];
}

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** A bar of `length` columns, to an eighth. */
function bar(length: number): string {
  const eighths = Math.round(length * 8);
  return '█'.repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8]!;
}
