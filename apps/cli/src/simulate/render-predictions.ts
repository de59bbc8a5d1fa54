import { textTable } from '@lockstep/evaluation';
import { PART_NAMES, type Prediction, type StepParts } from '@lockstep/simulation';
import { PARTS } from './parts.ts';

const BAR_LENGTH = 60;

/** A cluster's predictions as a table, and below it where each step's time goes. */
export function renderPredictions(name: string, predictions: readonly Prediction[]): string {
  const shown = PARTS.filter(({ name: part }) => predictions.some(({ parts }) => parts[part] > 0));
  const heading = ['workers', 'hosts', 'shards', 'step', 'samples/s', 'efficiency', ...shown.map(({ name: part }) => part)];
  const rows = predictions.map((prediction) => [
    ...[prediction.workers, prediction.hosts, prediction.shards].map(String), duration(prediction.stepMs), count(prediction.samplesPerSecond),
    `${(prediction.efficiency * 100).toFixed(1)} %`, ...shown.map(({ name: part }) => duration(prediction.parts[part])),
  ]);
  const legend = shown.map(({ letter, title }) => `${letter} ${title}`).join('  ');
  const bars = predictions.map(({ workers, parts }) => `${String(workers).padStart(7)}  ${barOf(parts)}`);
  return [name, '', ...textTable([heading, ...rows], heading.map(() => 'right')), '', ...bars, `         ${legend}`].join('\n');
}

/** A step as a bar of fixed length: of each part as many letters as it has of the time. */
function barOf(parts: StepParts): string {
  const total = PART_NAMES.reduce((sum, name) => sum + parts[name], 0);
  let [bar, end] = ['', 0];
  for (const { name, letter } of PARTS) {
    end += parts[name] / total;
    bar += letter.repeat(Math.max(0, Math.round(end * BAR_LENGTH) - bar.length));
  }
  return bar;
}

/** Three digits and the unit: `1.35 ms`, `52.8 ms`, `1.20 s`. */
export function duration(ms: number): string {
  if (ms === 0) return '0';
  if (ms < 1000) return `${digits(ms)} ms`;
  return ms < 3_600_000 ? `${digits(ms / 1000)} s` : `${digits(ms / 3_600_000)} h`;
}

const digits = (value: number): string => (value >= 1000 ? count(value) : value.toFixed(Math.max(0, 2 - Math.max(0, Math.floor(Math.log10(value))))));

export const count = (value: number): string => value.toLocaleString('en', { maximumFractionDigits: value < 10 ? 2 : 0 });
