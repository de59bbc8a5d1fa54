import type { EndEvent } from '@lockstep/core';
import type { EvaluationReport } from '@lockstep/evaluation';
import { count, duration, lossText, percent, perplexityText } from '../progress-text.ts';
import { html, type Html } from './html.ts';
import type { RunRecord } from './run-record.ts';

/** The run's name, what it trained, its results as tiles, and the hash of its parameters. */
export function headline({ start, workers, steps, end }: RunRecord, evaluation: EvaluationReport | null): Html {
  const numWorkers = workers.length || new Set(steps.flatMap((step) => step.workers.map(({ rank }) => rank))).size;
  return html`<header>
  <p class="overline">Lockstep run</p>
  <h1>${start.run}</h1>
  <p class="summary">${start.model} with ${count(start.parameters)} parameters, trained on ${count(start.trainSamples)} samples by ${numWorkers} ${numWorkers === 1 ? 'worker' : 'workers'}${early(end.stoppedEarly)}</p>
  <div class="tiles">
    ${evaluation === null ? languageTiles(end) : classTiles(evaluation)}
    ${tile('Throughput', count(end.examplesPerSecond), `${end.examples} a second`)}
    ${tile('Training time', duration(end.trainSeconds), `${count(end.steps)} steps, ${end.epochs} ${end.epochs === 1 ? 'epoch' : 'epochs'}`)}
  </div>
  <p class="receipt"><span>Parameters SHA-256</span> <code>${end.parametersSha256}</code></p>
</header>`;
}

function classTiles(evaluation: EvaluationReport): Html {
  const wrong = Math.round((1 - evaluation.accuracy) * evaluation.numExamples);
  return html`${tile('Test accuracy', percent(evaluation.accuracy), `${count(wrong)} of ${count(evaluation.numExamples)} wrong`, 'hero')}
    ${tile('Test loss', lossText(evaluation.loss), 'mean over the test set')}
    ${tile('Macro F1', evaluation.macro.f1.toFixed(4), `${evaluation.classes.length} classes`)}`;
}

function languageTiles({ test }: EndEvent): Html {
  return html`${tile('Test perplexity', perplexityText(test.loss), 'the exponential of the loss', 'hero')}
    ${tile('Test loss', lossText(test.loss), 'mean over the tokens of the test set')}
    ${tile('Next token right', percent(test.accuracy), 'as the most probable one')}`;
}

function early(reason: string | null): string {
  return reason === null ? '' : `; stopped early: ${reason}`;
}

function tile(label: string, value: string, note: string, kind = ''): Html {
  return html`<div class="tile ${kind}"><span class="label">${label}</span><strong>${value}</strong><span class="note">${note}</span></div>`;
}
