import { LockstepError } from '@lockstep/core';
import { classScores, macroAverage } from './class-scores.ts';
import type { ConfusedPair, EvaluationReport, Mistake } from './evaluation-report.ts';

const MOST_CONFUSED = 10;
const WORST_MISTAKES = 24;

export interface Predictions {
  /** `[n]`: the actual classes. */
  readonly labels: Uint8Array;
  /** `[n, C]`, row by row. */
  readonly probabilities: Float32Array;
  /** The sum of the loss over the examples. */
  readonly lossSum: number;
  /** `[C]` */
  readonly classNames: readonly string[];
}

/** Scores predictions; the predicted class is the most probable one, of equals the first. Throws `data` where sizes or labels do not fit. */
export function evaluatePredictions(input: Predictions): EvaluationReport {
  requireFit(input);
  const predicted = mostProbableClasses(input);
  const confusion = confusionMatrix(input.labels, predicted, input.classNames.length);
  const classes = classScores(confusion, input.classNames);
  const numExamples = input.labels.length;
  return {
    numExamples,
    loss: input.lossSum / numExamples,
    accuracy: input.labels.reduce((correct, label, index) => correct + Number(label === predicted[index]), 0) / numExamples,
    classes,
    macro: macroAverage(classes),
    confusion,
    mostConfused: mostConfusedPairs(confusion),
    worstMistakes: worstMistakes(input, predicted),
  };
}

function requireFit({ labels, probabilities, classNames }: Predictions): void {
  const numClasses = classNames.length;
  if (labels.length === 0) throw new LockstepError('data', 'nothing to evaluate: 0 examples');
  if (probabilities.length !== labels.length * numClasses) {
    throw new LockstepError('data', `${labels.length} examples of ${numClasses} classes need ${labels.length * numClasses} probabilities, got ${probabilities.length}`);
  }
  const index = labels.findIndex((label) => label >= numClasses);
  if (index >= 0) throw new LockstepError('data', `example ${index} has label ${labels[index]}, expected 0 to ${numClasses - 1}`);
}

function mostProbableClasses({ labels, probabilities, classNames }: Predictions): Uint8Array {
  const numClasses = classNames.length;
  return labels.map((_, index) => {
    const row = probabilities.subarray(index * numClasses, (index + 1) * numClasses);
    return row.reduce((best, probability, label) => (probability > (row[best] ?? 0) ? label : best), 0);
  });
}

function confusionMatrix(labels: Uint8Array, predicted: Uint8Array, numClasses: number): number[][] {
  const counts = Array.from({ length: numClasses }, () => new Array<number>(numClasses).fill(0));
  labels.forEach((actual, index) => {
    const row = counts[actual] as number[];
    const column = predicted[index] as number;
    row[column] = (row[column] ?? 0) + 1;
  });
  return counts;
}

function mostConfusedPairs(confusion: readonly (readonly number[])[]): ConfusedPair[] {
  return confusion
    .flatMap((row, actual) => row.map((count, predicted) => ({ actual, predicted, count })))
    .filter(({ actual, predicted, count }) => actual !== predicted && count > 0)
    .sort((a, b) => b.count - a.count)
    .slice(0, MOST_CONFUSED);
}

function worstMistakes({ labels, probabilities, classNames }: Predictions, predicted: Uint8Array): Mistake[] {
  const numClasses = classNames.length;
  const confidence = (index: number) => probabilities[index * numClasses + (predicted[index] ?? 0)] ?? 0;
  return Array.from(labels.keys())
    .filter((index) => labels[index] !== predicted[index])
    .sort((a, b) => confidence(b) - confidence(a) || a - b)
    .slice(0, WORST_MISTAKES)
    .map((index) => ({
      index,
      actual: labels[index] as number,
      predicted: predicted[index] as number,
      confidence: confidence(index),
      probabilities: Array.from(probabilities.subarray(index * numClasses, (index + 1) * numClasses)),
    }));
}
