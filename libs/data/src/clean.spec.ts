import { describe, expect, it } from 'vitest';
import { CleaningLog } from './cleaning-report.ts';
import { clean, type CleaningRules } from './clean.ts';
import type { Dataset } from './dataset.ts';
import type { SourcePart } from './readers/source-parts.ts';
import { noiseDataset } from './testing/small-sources.ts';

const RULES: CleaningRules = { numClasses: 10, rejectBlank: false, rejectDuplicates: false };

function partOf(file: string, dataset: Dataset): SourcePart {
  return { dataset, numRead: dataset.numExamples, originOf: (row) => ({ file, row }) };
}

/** Image `to` gets the pixels of `from`. */
function withCopy(dataset: Dataset, from: number, to: number, source = dataset): Dataset {
  const length = dataset.images.length / dataset.numExamples;
  const images = dataset.images.slice();
  images.set(source.images.subarray(from * length, (from + 1) * length), to * length);
  return { ...dataset, images };
}

function withBlank(dataset: Dataset, index: number, value: number): Dataset {
  const length = dataset.images.length / dataset.numExamples;
  return { ...dataset, images: dataset.images.slice().fill(value, index * length, (index + 1) * length) };
}

describe('cleaning', () => {
  it.each([4, 5])('counts blank images and duplicates, within and across parts, and keeps them (%i x %i pixels)', (side) => {
    const training = withBlank(withCopy(noiseDataset(20, side), 3, 11), 7, 200);
    const test = withCopy({ ...noiseDataset(5, side), images: noiseDataset(5, side).images.map((pixel) => pixel ^ 85) }, 19, 2, training);
    const log = new CleaningLog('error');
    const cleaned = clean([partOf('train', training), partOf('test', test)], RULES, log);
    expect(cleaned).toEqual([training, test]);
    expect(log.report(25, 25).faults).toEqual([
      { fault: 'blank', count: 1, dropped: 0, examples: [{ file: 'train', row: 7, detail: 'every pixel is 200' }] },
      { fault: 'duplicate', count: 2, dropped: 0, examples: [
        { file: 'train', row: 11, detail: 'the same pixels as train, row 3 (label 3, this one 1)' },
        { file: 'test', row: 2, detail: 'the same pixels as train, row 19 (label 9, this one 2)' },
      ] },
    ]);
  });

  it('drops them where the rules reject them, keeping the first of equals', () => {
    const training = withBlank(withCopy(withCopy(noiseDataset(20), 3, 11), 3, 12), 7, 0);
    const log = new CleaningLog('drop');
    const [cleaned] = clean([partOf('train', training)], { ...RULES, rejectBlank: true, rejectDuplicates: true }, log);
    expect([...cleaned!.labels]).toEqual([...training.labels].filter((_, index) => ![7, 11, 12].includes(index)));
    expect(log.report(20, 17).faults.map(({ fault, dropped }) => [fault, dropped])).toEqual([['blank', 1], ['duplicate', 2]]);
  });

  it('ends at the first rejected sample where the run does not drop bad ones', () => {
    const part = partOf('train', withBlank(noiseDataset(20), 7, 0));
    expect(() => clean([part], { ...RULES, rejectBlank: true }, new CleaningLog('error'))).toThrow('train, row 7: blank: every pixel is 0');
  });

  it('refuses to go on with nothing', () => {
    const dataset = { ...noiseDataset(3), labels: Uint8Array.of(11, 12, 13) };
    expect(() => clean([partOf('train', dataset)], RULES, new CleaningLog('drop'))).toThrow('train: no sample is left of 3');
  });

  it('names only the first few of many', () => {
    const log = new CleaningLog('drop');
    clean([partOf('train', { ...noiseDataset(100), labels: new Uint8Array(100).fill(10, 0, 90) })], RULES, log);
    expect(log.report(100, 10).faults).toMatchObject([{ fault: 'label-out-of-range', count: 90, dropped: 90 }]);
    expect(log.report(100, 10).faults[0]!.examples).toHaveLength(5);
  });
});
