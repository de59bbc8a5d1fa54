import { writeFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { LockstepError, messageOf } from '@lockstep/core';
import { drawPredictions, type PredictedCluster } from './draw-predictions.ts';
import { renderPredictions } from './render-predictions.ts';
import { escape } from './svg.ts';

/** A name that says neither is a `usage` error. */
export function requirePlotName(file: string): '.html' | '.svg' {
  const ending = extname(file).toLowerCase();
  if (ending === '.html' || ending === '.svg') return ending;
  throw new LockstepError('usage', `--plot is ${file}, expected a name that ends in .html or .svg`);
}

/** Writes the drawing; as a page, with the tables below it. */
export async function writePlot(file: string, clusters: readonly PredictedCluster[]): Promise<void> {
  const svg = drawPredictions(clusters);
  const content = requirePlotName(file) === '.svg' ? svg : pageOf(svg, clusters);
  await writeFile(file, content).catch((cause: unknown) => {
    throw new LockstepError('usage', `${file}: cannot be written: ${messageOf(cause)}`, { cause });
  });
}

function pageOf(svg: string, clusters: readonly PredictedCluster[]): string {
  const tables = clusters.map(({ name, predictions }) => `<pre>${escape(renderPredictions(name, predictions))}</pre>`);
  return [
    '<!doctype html>', '<html lang="en"><head><meta charset="utf-8"><title>Predicted by lockstep simulate</title>',
    '<style>body { margin: 24px auto; max-width: 1100px } svg { width: 100%; height: auto } pre { overflow-x: auto; font-size: 12px }</style></head>',
    '<body>', svg, ...tables, '</body></html>', '',
  ].join('\n');
}
