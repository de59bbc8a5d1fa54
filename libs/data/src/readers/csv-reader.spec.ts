import { describe, expect, it } from 'vitest';
import type { DataOptions } from '@lockstep/core';
import { loadSplits, type DataSplits } from '../load-splits.ts';
import { csvText, dataConfig, noiseDataset, temporaryDirectory } from '../testing/small-sources.ts';

const DATASET = noiseDataset(20, 3);
const TEST = noiseDataset(10, 3);

async function load(training: string, options: DataOptions = {}, test: string | null = csvText({ ...TEST, images: TEST.images.map((pixel) => 255 - pixel) })): Promise<DataSplits> {
  await using directory = await temporaryDirectory();
  const file = await directory.write('train.csv', training);
  const source = test === null ? { kind: 'csv' as const, training: file } : { kind: 'csv' as const, training: file, test: await directory.write('test.csv', test) };
  return await loadSplits(dataConfig({ source, ...options }), { seed: 1 });
}

/** The text with one line, counted from 1, replaced. */
function withLine(line: number, replace: (cells: string[]) => string[] | string): string {
  const lines = csvText(DATASET).split('\n');
  const cells = replace(lines[line - 1]!.split(','));
  lines[line - 1] = typeof cells === 'string' ? cells : cells.join(',');
  return lines.join('\n');
}

describe("a CSV file in Kaggle's layout", () => {
  it.each([
    ['with a header', csvText(DATASET)],
    ['without a header', csvText(DATASET, false)],
    ['with Windows line ends', csvText(DATASET).replaceAll('\n', '\r\n')],
    ['without a newline at the end', csvText(DATASET).trimEnd()],
    ['with empty lines', csvText(DATASET).replaceAll('\n', '\n\n')],
    ['with a byte order mark', `\ufeff${csvText(DATASET)}`],
    ['with quotes and spaces', csvText(DATASET).replaceAll(',', '", "').replaceAll('\n', '"\n"').replace(/^/, '"').replace(/"$/, '')],
    ['with decimals', csvText(DATASET).replace(/(\d)\n/g, '$1.0\n')],
  ])('gives the same samples %s', async (_, text) => {
    const { training } = await load(text);
    expect(training.imageShape).toEqual({ height: 3, width: 3, channels: 1 });
    expect(training.images).toEqual(DATASET.images);
    expect(training.labels).toEqual(DATASET.labels);
  });

  it.each([
    ['missing columns', withLine(5, (cells) => cells.slice(1)), /train.csv, row 5: missing-columns: 9 columns, expected 10/, 'missing-columns'],
    ['a line cut short', csvText(DATASET).trimEnd().slice(0, -12), /row 21: missing-columns/, 'missing-columns'],
    ['extra columns', withLine(3, (cells) => [...cells, '1']), /row 3: extra-columns: 11 columns, expected 10/, 'extra-columns'],
    ['a pixel out of range', withLine(2, (cells) => cells.with(4, '256')), /row 2: pixel-out-of-range: pixel3 is 256, expected 0 to 255/, 'pixel-out-of-range'],
    ['a huge pixel', withLine(2, (cells) => cells.with(4, '4294967296')), /row 2: pixel-out-of-range: pixel3 is 999999999/, 'pixel-out-of-range'],
    ['a negative pixel', withLine(2, (cells) => cells.with(9, '-1')), /row 2: pixel-out-of-range: pixel8 is -1/, 'pixel-out-of-range'],
    ['a label out of range', withLine(7, (cells) => cells.with(0, '10')), /row 7: label-out-of-range: label 10, expected 0 to 9/, 'label-out-of-range'],
    ['a word', withLine(4, (cells) => cells.with(2, 'dog')), /row 4: not-a-number: pixel1 is "dog", expected an integer/, 'not-a-number'],
    ['an empty cell', withLine(4, (cells) => cells.with(0, '')), /row 4: not-a-number: label is ""/, 'not-a-number'],
    ['a fraction', withLine(4, (cells) => cells.with(2, '0.5')), /row 4: not-a-number: pixel1 is "0.5"/, 'not-a-number'],
    ['an open quote', withLine(6, (cells) => `"${cells.join(',')}`), /row 6: unreadable: Quote Not Closed/, 'unreadable'],
  ])('refuses %s by name, or drops it', async (_, text, message, fault) => {
    await expect(load(text)).rejects.toThrow(message);
    await expect(load(text)).rejects.toMatchObject({ code: 'data' });
    const { training, report } = await load(text, { onBadSample: 'drop' });
    expect(training.numExamples).toBe(19);
    expect(report).toMatchObject({ numRead: 30, numKept: 29, faults: [{ fault, count: 1, dropped: 1 }] });
  });

  it('keeps the row numbers of the file in a report after dropped rows', async () => {
    const { report } = await load(withLine(3, (cells) => cells.slice(1)).replace(/\n(.*)\n$/, '\n$1\n$1\n'), { onBadSample: 'drop' });
    expect(report.faults.map(({ fault, examples }) => [fault, examples[0]!.row])).toEqual([['missing-columns', 3], ['duplicate', 22]]);
  });

  it("refuses Kaggle's test.csv, which has no labels, with a hint", async () => {
    const unlabelled = Array.from({ length: 784 }, (_, pixel) => `pixel${pixel}`).join(',');
    await expect(load(csvText(DATASET), {}, `${unlabelled}\n${'0,'.repeat(783)}0\n`)).rejects.toMatchObject({ message: expect.stringContaining('784 columns'), hint: expect.stringContaining('no labels') });
  });

  it.each([['', /holds no sample/], ['label,pixel0\n', /2 columns, expected a label and the pixels of a square image/], ['\u0000\u0001\u0002', /1 columns, expected/]])('refuses a file without samples', async (text, message) => {
    await expect(load(text)).rejects.toThrow(message);
  });

  it('says which file is missing', async () => {
    const config = dataConfig({ source: { kind: 'csv', training: '/nowhere/train.csv' } });
    await expect(loadSplits(config, { seed: 1 })).rejects.toMatchObject({ code: 'not-found', message: '/nowhere/train.csv: no such file' });
  });
});
