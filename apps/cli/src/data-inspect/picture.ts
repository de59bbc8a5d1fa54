import type { Inspection, LabelCount } from './inspection.ts';
import { enlargedPng } from './shrink.ts';
import { cleaningLines, formatCount, samplesTitle, sizeLine, sourceName } from './summary.ts';

const WIDTH = 1080;
const MARGIN = 40;
const TOP = 112;
const CELL = 148;
const CELL_STEP = 176;
const BARS_LEFT = 640;
const BARS_RIGHT = WIDTH - MARGIN - 64;
const BAR_STEP = 36;
const LINE = 20;
const MAX_LINE_LENGTH = 132;

const INK = '#16202c';
const MUTED = '#5b6878';
const SPLITS = [
  { name: 'training', color: '#2f6fde' }, { name: 'validation', color: '#e0922f' }, { name: 'test', color: '#8c9bb0' },
] as const;

/** The inspection as a self-contained SVG: the grid on the left, the histogram on the right, the cleaning report below. */
export async function drawInspection(inspection: Inspection): Promise<string> {
  const { splits, config, labelCounts } = inspection;
  const rows = Math.ceil(inspection.samples.length / 3);
  const bottom = TOP + Math.max(rows * CELL_STEP, labelCounts.length * BAR_STEP + 16);
  const report = cleaningLines(inspection);
  const height = bottom + 24 + report.length * LINE + MARGIN - 12;
  const total = formatCount(splits.training.numExamples + splits.validation.numExamples + splits.test.numExamples);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, 'DejaVu Sans', 'Liberation Sans', sans-serif">`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    text(MARGIN, 46, clip(`${sourceName(config.data.source)}: ${total} samples`, 70), { size: 24, weight: 600 }),
    text(MARGIN, 72, sizeLine(inspection), { size: 13, fill: MUTED }),
    text(MARGIN, TOP - 12, samplesTitle(inspection), { size: 13, weight: 600 }),
    ...(await drawGrid(inspection)), ...drawLegend(), ...drawBars(labelCounts),
    `<line x1="${MARGIN}" x2="${WIDTH - MARGIN}" y1="${bottom + 2}" y2="${bottom + 2}" stroke="#d9dfe7"/>`,
    ...report.map((line, index) => drawReportLine(line, bottom + 28 + index * LINE, index === 0)),
    '</svg>',
  ].join('\n');
}

async function drawGrid({ samples, pictureShape }: Inspection): Promise<string[]> {
  const factor = Math.max(1, Math.round((2 * CELL) / Math.max(pictureShape.height, pictureShape.width)));
  const cells = await Promise.all(samples.map(async ({ pixels, className }, index) => {
    const x = MARGIN + (index % 3) * CELL_STEP;
    const y = TOP + Math.floor(index / 3) * CELL_STEP;
    const png = (await enlargedPng(pixels, pictureShape, factor)).toString('base64');
    return [
      `<image preserveAspectRatio="xMinYMid" x="${x}" y="${y}" width="${CELL}" height="${CELL}" xlink:href="data:image/png;base64,${png}"/>`,
      text(x, y + CELL + 17, clip(className, 20), { size: 13, fill: MUTED }),
    ];
  }));
  return cells.flat();
}

function drawLegend(): string[] {
  return SPLITS.flatMap(({ name, color }, index) => {
    const x = BARS_LEFT + [0, 92, 194][index]!;
    return [`<rect x="${x}" y="${TOP - 22}" width="11" height="11" rx="2" fill="${color}"/>`, text(x + 17, TOP - 12, name, { size: 13 })];
  });
}

/** Stacked bars: the length is the number of samples of all splits. */
function drawBars(counts: readonly LabelCount[]): string[] {
  const totalOf = (count: LabelCount): number => count.training + count.validation + count.test;
  const perSample = (BARS_RIGHT - BARS_LEFT) / Math.max(1, ...counts.map(totalOf));
  return counts.flatMap((count, index) => {
    const y = TOP + 6 + index * BAR_STEP;
    let x = BARS_LEFT;
    const segments = SPLITS.map(({ name, color }) => {
      const width = count[name] * perSample;
      x += width;
      return width === 0 ? '' : `<rect x="${(x - width).toFixed(2)}" y="${y}" width="${width.toFixed(2)}" height="${BAR_STEP - 12}" fill="${color}"/>`;
    });
    return [
      text(BARS_LEFT - 10, y + 17, clip(count.className, 8), { size: 13, anchor: 'end' }), ...segments,
      text(x + 8, y + 17, formatCount(totalOf(count)), { size: 12, fill: MUTED }),
    ];
  });
}

function drawReportLine(line: string, y: number, isTitle: boolean): string {
  const indent = line.length - line.trimStart().length;
  return text(MARGIN + indent * 6, y, clip(line.trim(), MAX_LINE_LENGTH), isTitle ? { size: 13, weight: 600 } : { size: 13, fill: MUTED });
}

interface TextStyle {
  readonly size: number;
  readonly fill?: string;
  readonly weight?: number;
  readonly anchor?: 'start' | 'end';
}

function text(x: number, y: number, content: string, { size, fill = INK, weight = 400, anchor = 'start' }: TextStyle): string {
  return `<text x="${x.toFixed(1)}" y="${y}" font-size="${size}" fill="${fill}" font-weight="${weight}" text-anchor="${anchor}">${escape(content)}</text>`;
}

function escape(content: string): string {
  return content.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

function clip(content: string, length: number): string {
  return content.length <= length ? content : `${content.slice(0, length - 1)}…`;
}
