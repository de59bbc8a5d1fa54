import type { ClassScores, PrecisionRecallF1 } from './evaluation-report.ts';

/**
 * Precision, recall and F1 of each class from a confusion matrix `[actual][predicted]`.
 * Definitions of scikit-learn's `precision_recall_fscore_support` with `labels=range(C), zero_division=0`:
 * a rate whose denominator is 0 counts as 0.
 */
export function classScores(confusion: readonly (readonly number[])[], classNames: readonly string[]): ClassScores[] {
  return confusion.map((row, label) => {
    const truePositives = row[label] ?? 0;
    const support = sum(row);
    const predicted = sum(confusion.map((other) => other[label] ?? 0));
    return {
      name: classNames[label] ?? String(label),
      precision: ratio(truePositives, predicted),
      recall: ratio(truePositives, support),
      f1: ratio(2 * truePositives, predicted + support),
      support,
    };
  });
}

/** Unweighted means over the classes: scikit-learn's `average='macro'` with all labels named. */
export function macroAverage(classes: readonly ClassScores[]): PrecisionRecallF1 {
  const mean = (score: (entry: ClassScores) => number) => ratio(sum(classes.map(score)), classes.length);
  return { precision: mean((entry) => entry.precision), recall: mean((entry) => entry.recall), f1: mean((entry) => entry.f1) };
}

function ratio(numerator: number, denominator: number): number {
  return denominator === 0 ? 0 : numerator / denominator;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
