import { describe, expect, it } from 'vitest';
import { CleaningLog } from '../cleaning-report.ts';
import { countLabels } from '../dataset.ts';
import { loadSplits } from '../load-splits.ts';
import { dataConfig, temporaryDirectory } from '../testing/small-sources.ts';
import { readMnist } from './mnist-reader.ts';

describe('embedded MNIST', () => {
  it('has the published counts and statistics, and no fault', async () => {
    const { training, validation, test, statistics, report, classNames } = await loadSplits(dataConfig(), { seed: 42 });
    expect([training.numExamples, validation.numExamples, test.numExamples]).toEqual([60_000, 0, 10_000]);
    expect([...countLabels(training, 10)]).toEqual([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
    expect([...countLabels(test, 10)]).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
    expect(statistics.mean).toBeCloseTo(0.1307, 4);
    expect(statistics.deviation).toBeCloseTo(0.3081, 4);
    expect(classNames).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    expect(report).toEqual({ numRead: 70_000, numKept: 70_000, faults: [] });
  });

  it('is refused where a file is not the published one', async () => {
    await using directory = await temporaryDirectory();
    for (const name of ['train-images-idx3-ubyte', 'train-labels-idx1-ubyte', 't10k-images-idx3-ubyte', 't10k-labels-idx1-ubyte']) await directory.write(name, 'no image');
    const context = { config: dataConfig(), log: new CleaningLog('drop'), signal: undefined, onProgress: () => {} };
    await expect(readMnist(context, directory.path)).rejects.toThrow(/ubyte: SHA-256 is [0-9a-f]{64}, expected [0-9a-f]{64}/);
  });

  it('stops when aborted', async () => {
    await expect(loadSplits(dataConfig(), { seed: 42, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' });
  });
});
