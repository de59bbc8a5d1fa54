import type { Prediction } from '@lockstep/simulation';
import { PARTS } from './parts.ts';
import { count, duration } from './render-predictions.ts';
import { drawing, line, MUTED, polyline, rectangle, text } from './svg.ts';

/** The predictions of one cluster. */
export interface PredictedCluster {
  readonly name: string;
  readonly predictions: readonly Prediction[];
}

const WIDTH = 1080;
const MARGIN = 40;
const LEFT = 84;
const RIGHT = WIDTH - 170;
const CURVES_TOP = 92;
const CURVES_HEIGHT = 260;
const PANEL_GAP = 78;
const PANEL_HEIGHT = 130;
const LEGEND_ROW = 22;
const CURVE_COLORS = ['#2f6fde', '#e0922f', '#6d8f3c', '#b0406f', '#7a5ea8', '#3a9d9d', '#8a6a4a', '#5b6878'];

/** Efficiency over the number of workers, a curve a cluster, and below for each cluster where a step's time goes: a self-contained SVG. */
export function drawPredictions(clusters: readonly PredictedCluster[]): string {
  const panelsTop = CURVES_TOP + CURVES_HEIGHT + 112;
  const height = panelsTop + clusters.length * (PANEL_HEIGHT + PANEL_GAP) - 14;
  return drawing(WIDTH, height, [
    text(MARGIN, 42, 'Predicted by lockstep simulate', { size: 22, weight: 600 }),
    text(MARGIN, 68, 'Efficiency: samples a second and worker, against the fewest workers', { size: 13, fill: MUTED }),
    ...drawCurves(clusters), ...drawLegend(panelsTop - 44),
    ...clusters.flatMap((cluster, index) => drawPanel(cluster, panelsTop + index * (PANEL_HEIGHT + PANEL_GAP))),
  ]);
}

function drawCurves(clusters: readonly PredictedCluster[]): string[] {
  const workers = [...new Set(clusters.flatMap(({ predictions }) => predictions.map((prediction) => prediction.workers)))].sort((a, b) => a - b);
  const x = scaleOf(workers);
  const top = Math.max(1, ...clusters.flatMap(({ predictions }) => predictions.map(({ efficiency }) => efficiency)));
  const y = (efficiency: number): number => CURVES_TOP + CURVES_HEIGHT * (1 - efficiency / top);
  return [
    ...[0, 0.25, 0.5, 0.75, 1].flatMap((tick) => [line(LEFT, y(tick), RIGHT, y(tick)), text(LEFT - 10, y(tick) + 4, `${tick * 100} %`, { fill: MUTED, anchor: 'end' })]),
    ...workers.map((count_) => text(x(count_), CURVES_TOP + CURVES_HEIGHT + 20, count(count_), { fill: MUTED, anchor: 'middle' })),
    text((LEFT + RIGHT) / 2, CURVES_TOP + CURVES_HEIGHT + 40, 'workers', { fill: MUTED, anchor: 'middle' }),
    ...clusters.map(({ predictions }, index) => polyline(predictions.map((one) => [x(one.workers), y(one.efficiency)]), colorOf(index))),
    ...labelsOf(clusters, y),
  ];
}

/** Beside the ends of the curves, far enough from one another to be read. */
function labelsOf(clusters: readonly PredictedCluster[], y: (efficiency: number) => number): string[] {
  const ends = clusters.map(({ name, predictions }, index) => ({ name, index, at: y(predictions.at(-1)?.efficiency ?? 0) + 4 })).sort((a, b) => a.at - b.at);
  let last = -Infinity;
  return ends.map(({ name, index, at }) => {
    last = Math.max(at, last + 15);
    return text(RIGHT + 10, last, name, { fill: colorOf(index), weight: 600 });
  });
}

function drawLegend(top: number): string[] {
  const column = (WIDTH - 2 * MARGIN) / PARTS.length;
  return PARTS.flatMap(({ title, color }, index) => [
    rectangle(MARGIN + index * column, top - 10, 11, 11, color), text(MARGIN + 16 + index * column, top, title === 'waiting for the slowest' ? 'the slowest' : title, { size: 12, fill: MUTED }),
  ]).concat(text(MARGIN, top - LEGEND_ROW, 'Where a step\'s time goes', { size: 13, weight: 600 }));
}

function drawPanel({ name, predictions }: PredictedCluster, top: number): string[] {
  const step = (WIDTH - 2 * MARGIN) / predictions.length;
  const width = Math.min(64, step * 0.72);
  return [
    text(MARGIN, top, name, { size: 13, weight: 600 }),
    ...predictions.flatMap((prediction, index) => drawColumn(prediction, MARGIN + index * step + (step - width) / 2, { top: top + 14, width })),
  ];
}

function drawColumn({ workers, stepMs, parts }: Prediction, left: number, { top, width }: { readonly top: number; readonly width: number }): string[] {
  let y = top;
  const boxes = PARTS.map(({ name, color }) => {
    const height = (parts[name] / stepMs) * PANEL_HEIGHT;
    y += height;
    return rectangle(left, y - height, width, height, color);
  });
  const middle = left + width / 2;
  return [
    ...boxes, text(middle, top + PANEL_HEIGHT + 15, count(workers), { fill: MUTED, anchor: 'middle' }),
    text(middle, top + PANEL_HEIGHT + 30, duration(stepMs), { size: 11, fill: MUTED, anchor: 'middle' }),
  ];
}

/** Logarithmic. */
function scaleOf(workers: readonly number[]): (count: number) => number {
  const [low, high] = [Math.log2(workers[0] ?? 1), Math.log2(workers.at(-1) ?? 1)];
  return (workersAt) => (high === low ? (LEFT + RIGHT) / 2 : LEFT + ((Math.log2(workersAt) - low) / (high - low)) * (RIGHT - LEFT));
}

const colorOf = (index: number): string => CURVE_COLORS[index % CURVE_COLORS.length]!;
