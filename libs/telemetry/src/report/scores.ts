import type { EvaluationReport } from '@lockstep/evaluation';
import { count, percent } from '../progress-text.ts';
import { html, type Html } from './html.ts';

/** Class names longer than this stand upright above their columns. */
const SHORT_NAME = 4;

/** The confusion matrix as a heat table: right answers in one hue by recall, mistakes in another by count. */
export function confusionMatrix({ confusion, classes }: EvaluationReport): Html {
  const mostMistakes = Math.max(1, ...confusion.flatMap((row, actual) => row.filter((_, predicted) => predicted !== actual)));
  const cell = (cellCount: number, actual: number, predicted: number): Html => {
    const isRight = actual === predicted;
    const heat = isRight ? cellCount / Math.max(1, classes[actual]?.support ?? 1) : Math.sqrt(cellCount / mostMistakes);
    const title = `actual ${classes[actual]?.name ?? ''}, predicted ${classes[predicted]?.name ?? ''}: ${count(cellCount)}`;
    return html`<td class="${isRight ? 'right' : 'wrong'}${cellCount === 0 ? ' none' : ''}" style="--heat:${heat.toFixed(3)}" title="${title}">${cellCount}</td>`;
  };
  const rows = confusion.map((row, actual) => html`<tr><th scope="row">${classes[actual]?.name ?? ''}</th>${row.map((value, predicted) => cell(value, actual, predicted))}</tr>`);
  return html`<section class="card wide-5"><h2>Confusion matrix</h2><p class="hint">Rows: actual class. Columns: predicted class.</p>
<div class="scroll"><table class="confusion${classes.some(({ name }) => name.length > SHORT_NAME) ? ' long-names' : ''}" style="--classes:${classes.length}"><thead><tr><td></td>${classes.map(({ name }) => html`<th scope="col"><span>${name}</span></th>`)}</tr></thead><tbody>${rows}</tbody></table></div></section>`;
}

export function classTable({ classes, macro, numExamples }: EvaluationReport): Html {
  const row = (name: string, scores: { precision: number; recall: number; f1: number }, examples: number) => html`<tr><th scope="row">${name}</th>
<td>${scores.precision.toFixed(4)}</td><td>${scores.recall.toFixed(4)}</td><td>${scores.f1.toFixed(4)}</td><td>${count(examples)}</td></tr>`;
  return html`<section class="card wide-4"><h2>Classes</h2><div class="scroll"><table class="figures">
<thead><tr><th scope="col">class</th><th scope="col">precision</th><th scope="col">recall</th><th scope="col">F1</th><th scope="col">examples</th></tr></thead>
<tbody>${classes.map((entry) => row(entry.name, entry, entry.support))}</tbody><tfoot>${row('macro', macro, numExamples)}</tfoot></table></div></section>`;
}

export function mostConfused({ mostConfused: pairs, classes }: EvaluationReport): Html {
  const most = pairs[0]?.count ?? 1;
  const items = pairs.map(({ actual, predicted, count: times }) => html`<li style="--heat:${(times / most).toFixed(3)}">
<span><b>${classes[actual]?.name ?? ''}</b> taken for <b>${classes[predicted]?.name ?? ''}</b></span><span class="amount">${count(times)}</span>
<span class="note">${percent(times / Math.max(1, classes[actual]?.support ?? 1))}</span></li>`);
  return html`<section class="card wide-3"><h2>Most confused</h2>${pairs.length === 0 ? html`<p class="hint">No mistakes.</p>` : html`<ol class="pairs">${items}</ol>`}</section>`;
}
