import { describe, expect, it } from 'vitest';
import { percentile, renderTable, tabulate } from './table.ts';

const fault = (label: string, recoveryMs: number, stepsLost = 0, isOfOne = true) => ({ label, recoveryMs, stepsLost, isOfOne, isBreach: false });

describe('the table of faults', () => {
  it('has a row a kind, with the times to recover and the steps lost, and rows over all', () => {
    const rows = tabulate([fault('kill', 300), fault('resume', 1000, 7, false), fault('kill', 100), fault('kill', 200, 2)]);
    expect(rows).toEqual([
      { label: 'kill', count: 3, p50Ms: 200, p99Ms: 300, worstMs: 300, stepsLost: 2, mostStepsLost: 2 },
      { label: 'resume', count: 1, p50Ms: 1000, p99Ms: 1000, worstMs: 1000, stepsLost: 7, mostStepsLost: 7 },
      { label: 'all upon one process', count: 3, p50Ms: 200, p99Ms: 300, worstMs: 300, stepsLost: 2, mostStepsLost: 2 },
      { label: 'all', count: 4, p50Ms: 200, p99Ms: 1000, worstMs: 1000, stepsLost: 9, mostStepsLost: 7 },
    ]);
  });

  it('takes percentiles by the nearest rank', () => {
    const values = Array.from({ length: 100 }, (_, index) => index + 1);
    expect([0.5, 0.99, 1].map((part) => percentile(values, part))).toEqual([50, 99, 100]);
    expect(percentile([5], 0.99)).toBe(5);
  });

  it('is a table in Markdown, and nothing of nothing', () => {
    expect(renderTable(tabulate([fault('kill', 1234, 1, false)])).split('\n')).toEqual([
      '| fault | count | recovered p50, s | p99, s | worst, s | steps lost | most by one |',
      '| ----- | ----: | ---------------: | -----: | -------: | ---------: | ----------: |',
      '| kill  |     1 |             1.23 |   1.23 |     1.23 |          1 |           1 |',
      '| all   |     1 |             1.23 |   1.23 |     1.23 |          1 |           1 |',
    ]);
    expect(tabulate([])).toEqual([]);
  });
});
