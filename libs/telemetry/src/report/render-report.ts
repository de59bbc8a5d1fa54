import { curves } from './curves.ts';
import { headline } from './headline.ts';
import { html, type Html } from './html.ts';
import { readPageAssets } from './page-assets.ts';
import { labelHistogram, sampleGrid, worstMistakes } from './pictures.ts';
import { configTable, receipt } from './receipt.ts';
import type { ClassificationInput, ReportInput } from './report-input.ts';
import { recordRun } from './run-record.ts';
import { classTable, confusionMatrix, mostConfused } from './scores.ts';

/** What the page may load: what is in it, and nothing from anywhere else. */
const CONTENT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";

/** A run's report as one HTML page that needs nothing beside it. Throws `data` where the events lack the run's start or end. */
export function renderReport(input: ReportInput): string {
  const record = recordRun(input.events);
  const { style, script } = readPageAssets();
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="${CONTENT_POLICY}">
<title>${record.start.run} – Lockstep</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<main>
${headline(record, input.classification?.evaluation ?? null)}
${curves(record)}
${input.classification === null ? '' : classificationCards(input.classification)}
${receipt(record)}
${configTable(input.config)}
</main>
<script>${script}</script>
</body>
</html>
`.markup;
}

function classificationCards(input: ClassificationInput): Html {
  const { evaluation } = input;
  return html`${confusionMatrix(evaluation)}
${classTable(evaluation)}
${mostConfused(evaluation)}
${worstMistakes(input)}
${labelHistogram(input)}
${sampleGrid(input)}`;
}
