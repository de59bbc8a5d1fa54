import type { ScaleRow } from './measure-scale.ts';

const MIB = 1024 * 1024;

const COLUMNS: readonly (readonly [title: string, cell: (row: ScaleRow) => string])[] = [
  ['workers', ({ workers }) => String(workers)],
  ['micro-batches', ({ microBatches }) => String(microBatches)],
  ['step ms', ({ medianStepMs }) => medianStepMs.toFixed(1)],
  ['coordinator CPU ms/step', ({ cpuMsAStep }) => cpuMsAStep.toFixed(2)],
  ['  resident MiB', ({ before, after }) => fromTo(before.residentBytes, after.residentBytes)],
  ['   heap MiB', ({ before, after }) => fromTo(before.heapBytes, after.heapBytes)],
  ['join ms', ({ joinMs }) => joinMs.toFixed(0)],
  ['lost ms', ({ lostMs }) => lostMs?.toFixed(0) ?? '-'],
];

export const scaleHeader = (): string => COLUMNS.map(([title]) => title).join('  ');

/** One line under `scaleHeader`. */
export const renderScaleRow = (row: ScaleRow): string => COLUMNS.map(([title, cell]) => cell(row).padStart(title.length)).join('  ');

const fromTo = (before: number, after: number): string => `${(before / MIB).toFixed(1)} → ${(after / MIB).toFixed(1)}`;
