import { describe, expect, it } from 'vitest';
import scikitLearn from '../fixtures/scikit-learn.json' with { type: 'json' };
import { evaluatePredictions, type Predictions } from './evaluate-predictions.ts';

const fromScikitLearn: Predictions = {
  labels: Uint8Array.from(scikitLearn.labels),
  probabilities: Float32Array.from(scikitLearn.probabilities),
  lossSum: scikitLearn.lossSum,
  classNames: ['a', 'b', 'c', 'never occurs', 'never predicted'],
};

/** Three classes; each row is one example's probabilities. */
function predictions(labels: readonly number[], rows: readonly (readonly number[])[]): Predictions {
  return { labels: Uint8Array.from(labels), probabilities: Float32Array.from(rows.flat()), lossSum: 0, classNames: ['x', 'y', 'z'] };
}

describe('evaluatePredictions', () => {
  const report = evaluatePredictions(fromScikitLearn);

  it('counts and scores as scikit-learn does, classes without examples or predictions included', () => {
    expect(report.confusion).toEqual(scikitLearn.confusion);
    expect(report.accuracy).toBe(scikitLearn.accuracy);
    expect(report.classes.map((entry) => entry.support)).toEqual(scikitLearn.support);
    for (const score of ['precision', 'recall', 'f1'] as const) {
      report.classes.forEach((entry, label) => expect(entry[score]).toBeCloseTo(scikitLearn[score][label]!, 12));
      expect(report.macro[score]).toBeCloseTo(scikitLearn.macro[score], 12);
    }
  });

  it('gives the mean loss', () => {
    expect(report.loss).toBe(scikitLearn.lossSum / 80);
  });

  it('lists the most confused pairs, most frequent first', () => {
    expect(report.mostConfused.slice(0, 2)).toEqual([{ actual: 2, predicted: 1, count: 7 }, { actual: 4, predicted: 1, count: 5 }]);
    expect(report.mostConfused).toHaveLength(10);
    expect(report.mostConfused.every(({ actual, predicted }) => actual !== predicted)).toBe(true);
  });

  it('lists the mistakes made with most confidence, with the place of each in the set', () => {
    const { worstMistakes } = evaluatePredictions(predictions([0, 1, 2, 0], [[0.3, 0.5, 0.2], [0.05, 0.9, 0.05], [0.75, 0.125, 0.125], [0.25, 0, 0.75]]));
    expect(worstMistakes.map(({ index, actual, predicted, confidence }) => ({ index, actual, predicted, confidence }))).toEqual([
      { index: 2, actual: 2, predicted: 0, confidence: 0.75 },
      { index: 3, actual: 0, predicted: 2, confidence: 0.75 },
      { index: 0, actual: 0, predicted: 1, confidence: 0.5 },
    ]);
    expect(worstMistakes[0]?.probabilities).toEqual([0.75, 0.125, 0.125]);
  });

  it('takes the first of equally probable classes', () => {
    expect(evaluatePredictions(predictions([0], [[0.4, 0.4, 0.2]])).accuracy).toBe(1);
  });

  it('has no mistakes to show where there are none', () => {
    const { mostConfused, worstMistakes, macro } = evaluatePredictions(predictions([0, 1, 2], [[1, 0, 0], [0, 1, 0], [0, 0, 1]]));
    expect({ mostConfused, worstMistakes, macro }).toEqual({ mostConfused: [], worstMistakes: [], macro: { precision: 1, recall: 1, f1: 1 } });
  });

  it.each([
    ['no examples', predictions([], []), 'nothing to evaluate: 0 examples'],
    ['too few probabilities', predictions([0, 1], [[1, 0, 0]]), '2 examples of 3 classes need 6 probabilities, got 3'],
    ['a label that is no class', predictions([0, 7], [[1, 0, 0], [1, 0, 0]]), 'example 1 has label 7, expected 0 to 2'],
  ])('refuses %s', (_, input, message) => {
    expect(() => evaluatePredictions(input)).toThrow(message);
  });
});
