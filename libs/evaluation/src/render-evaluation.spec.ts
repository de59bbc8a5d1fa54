import { describe, expect, it } from 'vitest';
import { evaluatePredictions } from './evaluate-predictions.ts';
import { renderEvaluation } from './render-evaluation.ts';

const report = evaluatePredictions({
  labels: Uint8Array.of(0, 0, 0, 1, 1, 2),
  probabilities: Float32Array.of(0.9, 0.1, 0, 0.8, 0.1, 0.1, 0.2, 0.7, 0.1, 0, 1, 0, 0.6, 0.4, 0, 0, 0, 1),
  lossSum: 3,
  classNames: ['cat', 'dog', 'bird'],
});

describe('renderEvaluation', () => {
  it('shows totals, classes, confusion matrix and confused pairs in aligned columns', () => {
    expect(renderEvaluation(report, { color: false, columns: 80 })).toBe(`\
accuracy 66.67 %   loss 0.5000   4 of 6 examples right

class  precision  recall      F1  examples
cat       0.6667  0.6667  0.6667         3
dog       0.5000  0.5000  0.5000         2
bird      1.0000  1.0000  1.0000         1
macro     0.7222  0.7222  0.7222         6

Confusion matrix  rows: actual, columns: predicted
      cat  dog  bird
cat     2    1     ·
dog     1    1     ·
bird    ·    ·     1

Most confused
cat taken for dog  1  33.33 % of all cat
dog taken for cat  1  50.00 % of all dog
`);
  });

  it('aligns the same with colours', () => {
    const colored = renderEvaluation(report, { color: true, columns: 80 });
    expect(colored).toContain('\x1b[');
    expect(colored.replaceAll(/\x1b\[\d+m/g, '')).toBe(renderEvaluation(report, { color: false, columns: 80 }));
  });

  it('leaves out a confusion matrix that is wider than the terminal', () => {
    const lines = renderEvaluation(report, { color: false, columns: 15 }).split('\n');
    expect(lines).toContain('needs 20 columns of 15; it is in the report');
    expect(lines).not.toContain('      cat  dog  bird');
  });

  it('prints no control characters of a class name', () => {
    const [first, ...others] = report.classes;
    const hostile = { ...report, classes: [{ ...first!, name: 'ca\x1b[2Jt\n\x07' }, ...others] };
    expect(renderEvaluation(hostile, { color: false, columns: 80 })).toBe(renderEvaluation(report, { color: false, columns: 80 }));
  });
});
