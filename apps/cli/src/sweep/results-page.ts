import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { escape } from '../simulate/svg.ts';
import { plotData } from './plot-data.ts';
import { renderResults } from './render-results.ts';
import type { Sweep } from './sweep-directory.ts';
import type { TrialResult } from './trial-result.ts';

/** What the page may load: what is in it, and nothing from anywhere else. */
const CONTENT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";

const uPlotDirectory = new URL('.', pathToFileURL(createRequire(import.meta.url).resolve('uplot')));

/** Writes sweep.html: the metric against each field, the loss of each trial by epoch, the table; one page that needs nothing beside it. */
export async function writeResultsPage(sweep: Sweep, results: readonly TrialResult[]): Promise<void> {
  await sweep.directory.writeAtomically('sweep.html', renderResultsPage(sweep, results));
}

export function renderResultsPage(sweep: Sweep, results: readonly TrialResult[]): string {
  const data = plotData(sweep.plan, results);
  const name = escape(sweep.directory.name);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${CONTENT_POLICY}">
<title>${name} – Lockstep sweep</title>
<style>${asset('uPlot.min.css', uPlotDirectory)}${asset('client/sweep.css')}</style>
</head>
<body>
<main>
<h1>${name}</h1>
${data.fields.map(({ field }, index) => section(`${data.metric} by ${field}`, `field-${index}`)).join('\n')}
${data.curves.length === 0 ? '' : section(`${data.curveName} by epoch`, 'curves')}
<section><h2>Trials</h2><pre>${escape(renderResults(sweep, results))}</pre></section>
</main>
<script type="application/json" id="data">${JSON.stringify(data).replaceAll('<', '\\u003c')}</script>
<script>${asset('uPlot.iife.min.js', uPlotDirectory)}
${asset('client/sweep.js')}</script>
</body>
</html>
`;
}

const section = (title: string, plot: string): string => `<section><h2>${escape(title)}</h2><div class="plot" data-plot="${plot}"></div></section>`;

const asset = (file: string, base: URL | string = import.meta.url): string => readFileSync(new URL(file, base), 'utf8');
