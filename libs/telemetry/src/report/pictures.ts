import type { EvaluationReport, Mistake } from '@lockstep/evaluation';
import { count, percent } from '../progress-text.ts';
import { html, type Html } from './html.ts';
import type { ClassificationInput, ReportImage } from './report-input.ts';

export function labelHistogram({ labelHistogram: { training, test }, evaluation }: ClassificationInput): Html {
  const total = (counts: readonly number[]) => Math.max(1, counts.reduce((sum, value) => sum + value, 0));
  const share = (counts: readonly number[], label: number) => (counts[label] ?? 0) / total(counts);
  const highest = Math.max(...evaluation.classes.flatMap((_, label) => [share(training, label), share(test, label)]), Number.EPSILON);
  const bar = (kind: string, counts: readonly number[], label: number) => html`<i class="${kind}" style="height:${((100 * share(counts, label)) / highest).toFixed(1)}%"
title="${kind}: ${count(counts[label] ?? 0)} (${percent(share(counts, label))})"></i>`;
  const columns = evaluation.classes.map(({ name }, label) => html`<div><div class="bars">${bar('training', training, label)}${bar('test', test, label)}</div>
<b>${name}</b><span class="note">${count(training[label] ?? 0)}</span><span class="note">${count(test[label] ?? 0)}</span></div>`);
  return html`<section class="card wide-6 labels"><h2>Labels</h2><p class="hint"><i class="key training"></i>${count(total(training))} training <i class="key test"></i>${count(total(test))} test, as shares of each</p>
<div class="scroll"><div class="histogram" style="--classes:${evaluation.classes.length}">${columns}</div></div></section>`;
}

export function sampleGrid({ sampleGrid: samples, evaluation }: ClassificationInput): Html {
  const figures = samples.map(({ image, label }) => {
    const name = evaluation.classes[label]?.name ?? String(label);
    return html`<figure>${picture(image, `training sample of class ${name}`)}<figcaption>${name}</figcaption></figure>`;
  });
  return html`<section class="card wide-6"><h2>Training samples</h2><div class="samples">${figures}</div></section>`;
}

export function worstMistakes({ evaluation, mistakeImages }: ClassificationInput): Html {
  const figures = evaluation.worstMistakes.flatMap((mistake) => {
    const image = mistakeImages.get(mistake.index);
    return image === undefined ? [] : [mistakeFigure(mistake, image, evaluation)];
  });
  return html`<section class="card wide-12"><h2>Worst mistakes</h2><p class="hint">The test images that the model got wrong with most confidence.</p>
${figures.length === 0 ? html`<p class="hint">None.</p>` : html`<div class="mistakes">${figures}</div>`}</section>`;
}

function mistakeFigure({ index, actual, predicted, confidence, probabilities }: Mistake, image: ReportImage, { classes }: EvaluationReport): Html {
  const name = (label: number) => classes[label]?.name ?? String(label);
  const verdict = (kind: string, label: number, probability: number) => html`<span class="verdict ${kind}" style="--heat:${probability.toFixed(3)}"><b>${name(label)}</b><span>${percent(probability, 1)}</span></span>`;
  const description = `test image ${index}: ${name(actual)} taken for ${name(predicted)}`;
  return html`<figure title="${description}">${picture(image, description)}
<figcaption>${verdict('wrong', predicted, confidence)}${verdict('right', actual, probabilities[actual] ?? 0)}</figcaption></figure>`;
}

/** The page's script paints the pixels. */
function picture({ pixels, height, width, channels }: ReportImage, description: string): Html {
  return html`<canvas width="${width}" height="${height}" data-channels="${channels}" data-pixels="${Buffer.from(pixels).toString('base64')}" role="img" aria-label="${description}"></canvas>`;
}
