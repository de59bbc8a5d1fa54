import { rm } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { DataOptions } from '@lockstep/core';
import { loadSplits, type DataSplits } from '../load-splits.ts';
import { dataConfig, idxBytes, noiseDataset, temporaryDirectory, type TemporaryDirectory } from '../testing/small-sources.ts';

const TRAINING = noiseDataset(20);
const TEST = noiseDataset(10, 4);

const IMAGES = idxBytes([20, 4, 4], TRAINING.images);
const LABELS = idxBytes([20], TRAINING.labels);

interface Files {
  readonly images?: Uint8Array;
  readonly labels?: Uint8Array;
  readonly withTest?: boolean;
}

async function write(directory: TemporaryDirectory, { images = IMAGES, labels = LABELS, withTest = true }: Files = {}): Promise<void> {
  await directory.write('train-images-idx3-ubyte', images);
  await directory.write('train-labels-idx1-ubyte', labels);
  if (!withTest) return;
  await directory.write('t10k-images-idx3-ubyte', idxBytes([10, 4, 4], TEST.images.map((pixel) => 255 - pixel)));
  await directory.write('t10k-labels-idx1-ubyte', idxBytes([10], TEST.labels));
}

function load(directory: TemporaryDirectory, options: DataOptions = {}): Promise<DataSplits> {
  return loadSplits(dataConfig({ source: { kind: 'idx', directory: directory.path }, ...options }), { seed: 1 });
}

describe('a directory of IDX files', () => {
  it('gives its images and labels in their order', async () => {
    await using directory = await temporaryDirectory();
    await write(directory);
    const splits = await load(directory);
    expect(splits.training.images).toEqual(Buffer.from(TRAINING.images));
    expect([...splits.training.labels]).toEqual([...TRAINING.labels]);
    expect(splits.test.numExamples).toBe(10);
    expect(splits.training.imageShape).toEqual({ height: 4, width: 4, channels: 1 });
    expect(splits.report).toEqual({ numRead: 30, numKept: 30, faults: [] });
  });

  it('gives the same from gzipped files', async () => {
    await using directory = await temporaryDirectory();
    await directory.write('train-images-idx3-ubyte.gz', gzipSync(IMAGES));
    await directory.write('train-labels.idx1-ubyte.gz', gzipSync(LABELS));
    const splits = await load(directory, { test: 0.5 });
    expect(splits.training.numExamples + splits.test.numExamples).toBe(20);
  });

  it('splits off a test set where it has none', async () => {
    await using directory = await temporaryDirectory();
    await write(directory, { withTest: false });
    const splits = await load(directory, { test: 0.25 });
    expect([splits.training.numExamples, splits.test.numExamples]).toEqual([15, 5]);
  });

  it.each([
    ['a wrong magic number', { images: idxBytes([20, 4, 4], TRAINING.images, 0x0d03) }, /train-images-idx3-ubyte: wrong magic number 0x00000d03, expected 0x00000803/],
    ['labels in the place of images', { images: LABELS }, /wrong magic number 0x00000801, expected 0x00000803 \(images\)/],
    ['a header cut short', { labels: LABELS.subarray(0, 7) }, /train-labels-idx1-ubyte: truncated: 7 bytes/],
    ['an empty file', { images: new Uint8Array(0) }, /truncated: 0 bytes/],
    ['impossible sides', { images: idxBytes([20, 0, 4], TRAINING.images) }, /images of 0x4 pixels/],
    ['sides beyond any image', { images: idxBytes([20, 0xffffffff, 4], TRAINING.images) }, /images of 4294967295x4 pixels/],
    ['images cut short', { images: IMAGES.subarray(0, -5) }, /train-images-idx3-ubyte, row 19: truncated: the file ends after 315 bytes of samples, its header promises 320/],
    ['bytes after the last sample', { labels: Buffer.concat([LABELS, Buffer.of(1, 2)]) }, /wrong-count: 2 bytes follow the 20 samples/],
    ['fewer labels than images', { labels: idxBytes([18], TRAINING.labels.subarray(0, 18)) }, /wrong-count: 20 images, but 18 labels in .*train-labels-idx1-ubyte/],
    ['a label that no class has', { labels: idxBytes([20], TRAINING.labels.with(3, 10)) }, /row 3: label-out-of-range: label 10, expected 0 to 9/],
  ])('refuses %s, naming the file and what was expected', async (_, files: Files, message) => {
    await using directory = await temporaryDirectory();
    await write(directory, files);
    await expect(load(directory)).rejects.toThrow(message);
    await expect(load(directory)).rejects.toMatchObject({ code: 'data', exitCode: 2 });
  });

  it.each([
    ['images cut short', { images: IMAGES.subarray(0, -20) }, 18, [{ fault: 'truncated', count: 2, dropped: 2 }]],
    ['bytes after the last sample', { labels: Buffer.concat([LABELS, Buffer.of(1, 2)]) }, 20, [{ fault: 'wrong-count', count: 0, dropped: 0 }]],
    ['fewer labels than images', { labels: idxBytes([18], TRAINING.labels.subarray(0, 18)) }, 18, [{ fault: 'wrong-count', count: 2, dropped: 2 }]],
    ['labels that no class has', { labels: idxBytes([20], TRAINING.labels.with(3, 10).with(7, 255)) }, 18, [{ fault: 'label-out-of-range', count: 2, dropped: 2 }]],
  ])('drops %s where the run says so, and reports it', async (_, files: Files, numTraining, faults) => {
    await using directory = await temporaryDirectory();
    await write(directory, files);
    const { training, report } = await load(directory, { onBadSample: 'drop' });
    expect(training.numExamples).toBe(numTraining);
    expect(report).toMatchObject({ numRead: 30, numKept: numTraining + 10, faults });
  });

  it('reads what a gzip file that ends early still holds, where the run drops bad samples', async () => {
    await using directory = await temporaryDirectory();
    await write(directory);
    const packed = gzipSync(idxBytes([5000, 4, 4], noiseDataset(5000).images), { level: 1 });
    await directory.write('train-labels-idx1-ubyte', idxBytes([5000], noiseDataset(5000).labels));
    await directory.write('train-images-idx3-ubyte.gz', packed.subarray(0, packed.length / 2));
    await rm(`${directory.path}/train-images-idx3-ubyte`);
    await expect(load(directory)).rejects.toThrow(/train-images-idx3-ubyte.gz: truncated: the gzip stream ends early/);
    const { training, report } = await load(directory, { onBadSample: 'drop' });
    expect(training.numExamples).toBeGreaterThan(100);
    expect(training.numExamples).toBeLessThan(5000);
    expect(training.images.subarray(0, 1600)).toEqual(Buffer.from(noiseDataset(100).images));
    expect(report.faults[0]).toMatchObject({ fault: 'truncated', count: 5000 - training.numExamples });
  });

  it('refuses a damaged gzip file', async () => {
    await using directory = await temporaryDirectory();
    await write(directory, { withTest: false });
    await rm(`${directory.path}/train-labels-idx1-ubyte`);
    await directory.write('train-labels-idx1-ubyte.gz', LABELS);
    await expect(load(directory)).rejects.toThrow(/train-labels-idx1-ubyte.gz: not a valid gzip file/);
  });

  it('says which file is missing', async () => {
    await using directory = await temporaryDirectory();
    await expect(load(directory)).rejects.toMatchObject({ code: 'not-found', message: expect.stringContaining('train-images-idx3-ubyte') });
    await directory.write('train-images-idx3-ubyte', IMAGES);
    await expect(load(directory)).rejects.toMatchObject({ code: 'not-found', message: expect.stringContaining('train-labels-idx1-ubyte') });
  });

  it('refuses test images of another size', async () => {
    await using directory = await temporaryDirectory();
    await write(directory);
    await directory.write('t10k-images-idx3-ubyte', idxBytes([10, 2, 8], TEST.images));
    await expect(load(directory)).rejects.toThrow(/t10k-images-idx3-ubyte: test images of 2x8x1, expected 4x4x1/);
  });
});
