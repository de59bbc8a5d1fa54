import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Html } from './html.ts';

const uPlotDirectory = new URL('.', pathToFileURL(createRequire(import.meta.url).resolve('uplot')));

/** The page's style sheets and scripts, as text to put inline. */
export function readPageAssets(): { readonly style: Html; readonly script: Html } {
  const read = (file: string, base: URL | string) => readFileSync(new URL(file, base), 'utf8');
  return {
    style: new Html(read('uPlot.min.css', uPlotDirectory) + read('client/report.css', import.meta.url)),
    script: new Html(`${read('uPlot.iife.min.js', uPlotDirectory)}\n${read('client/report.js', import.meta.url)}`),
  };
}
