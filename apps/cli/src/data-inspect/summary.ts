import type { DataSource } from '@lockstep/core';
import type { FaultCount } from '@lockstep/data';
import type { Inspection } from './inspection.ts';

/** A number as a person reads it. */
export const formatCount = (value: number): string => value.toLocaleString('en');

export function sourceName(source: DataSource): string {
  switch (source.kind) {
    case 'mnist': return 'MNIST';
    case 'tokens': return source.file;
    case 'csv': return source.test === undefined ? source.training : `${source.training} and ${source.test}`;
    default: return source.directory;
  }
}

export function sizeLine({ splits, pictureShape }: Inspection): string {
  const { height, width, channels } = splits.training.imageShape;
  const original = `${height}x${width}${channels === 3 ? ' in colour' : ''}`;
  const seen = `${pictureShape.height}x${pictureShape.width}x${pictureShape.channels}`;
  const { mean, deviation } = splits.statistics;
  return `images of ${original}, the model sees ${seen}; mean ${mean.toFixed(4)}, deviation ${deviation.toFixed(4)} of the training split`;
}

export function samplesTitle({ config, samples }: Inspection): string {
  return `${samples.length} training samples${config.data.augmentation === null ? '' : ', augmented as in epoch 0'}`;
}

/** The cleaning report, a line a fault with its first examples below. */
export function cleaningLines({ config, splits: { report } }: Inspection): string[] {
  const lines = [`Cleaning: ${formatCount(report.numRead)} samples read, ${formatCount(report.numKept)} kept`];
  if (report.faults.length === 0) return [...lines, '  no fault found: nothing damaged, out of range, blank or twice'];
  lines.push(...report.faults.flatMap(faultLines));
  const dropped = report.faults.some((fault) => fault.dropped > 0);
  if (dropped && config.data.onBadSample === 'error') lines.push("  a run would stop at the first of these: repair them, or set data.onBadSample to 'drop'");
  return lines;
}

function faultLines({ fault, count, dropped, examples }: FaultCount): string[] {
  const fate = dropped === 0 ? 'kept' : dropped === count ? 'dropped' : `${formatCount(dropped)} dropped`;
  const shown = examples.map(({ file, row, detail }) => `    ${file}${row === null ? '' : `, row ${row}`}: ${detail}`);
  const rest = count - examples.length;
  return [`  ${fault}: ${formatCount(count)} (${fate})`, ...shown, ...(rest > 0 && examples.length > 1 ? [`    and ${formatCount(rest)} more`] : [])];
}
