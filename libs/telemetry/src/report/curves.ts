import { html, jsonScript, type Html } from './html.ts';
import type { RunRecord } from './run-record.ts';

/** A point of the smoothed line is the mean of up to so many points on either side. */
const SMOOTHING_REACH = 12;

/** The charts' places; the page's script draws them from the data beside them. */
export function curves(record: RunRecord): Html {
  return html`${chart('loss', 'Loss')}
${chart('accuracy', 'Accuracy')}
${chart('examplesPerSecond', record.start.examples === 'tokens' ? 'Tokens a second' : 'Images a second', 'small')}
${chart('learningRate', 'Learning rate', 'small')}
${jsonScript('curves', curveData(record))}`;
}

function chart(name: string, title: string, kind = ''): Html {
  return html`<section class="card chart ${kind}"><h2>${title} <small>by step</small></h2><div class="plot" data-curve="${name}"></div></section>`;
}

/** Columns that share their x: those of `steps` the step of each point, those of `epochs` the last step of each epoch. */
export interface CurveData {
  readonly steps: Readonly<Record<'step' | 'loss' | 'lossSmooth' | 'accuracy' | 'accuracySmooth' | 'examplesPerSecond' | 'learningRate', readonly number[]>>;
  readonly epochs: Readonly<Record<'step' | 'validationLoss' | 'validationAccuracy', readonly number[]>>;
}

function curveData({ steps, epochs }: RunRecord): CurveData {
  const validated = epochs.flatMap(({ step, validation }) => (validation === null ? [] : [{ step, ...validation }]));
  const [loss, accuracy] = [steps.map((step) => step.loss), steps.map((step) => step.accuracy)];
  return {
    steps: {
      step: steps.map(({ step }) => step + 1),
      loss: rounded(loss),
      lossSmooth: rounded(smoothed(loss)),
      accuracy: rounded(accuracy),
      accuracySmooth: rounded(smoothed(accuracy)),
      examplesPerSecond: rounded(steps.map((step) => step.examplesPerSecond)),
      learningRate: rounded(steps.map((step) => step.learningRate)),
    },
    epochs: {
      step: validated.map(({ step }) => step + 1),
      validationLoss: rounded(validated.map((point) => point.loss)),
      validationAccuracy: rounded(validated.map((point) => point.accuracy)),
    },
  };
}

/** Centred means, so that the line does not lag behind. */
function smoothed(values: readonly number[]): number[] {
  return values.map((_, index) => {
    const around = values.slice(Math.max(0, index - SMOOTHING_REACH), index + SMOOTHING_REACH + 1);
    return around.reduce((sum, value) => sum + value, 0) / around.length;
  });
}

function rounded(values: readonly number[]): number[] {
  return values.map((value) => Number(value.toPrecision(5)));
}
