import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { DataOptions } from '@lockstep/core';
import { loadSplits, type DataSplits } from '../load-splits.ts';
import { dataConfig, noiseDataset, temporaryDirectory, type TemporaryDirectory } from '../testing/small-sources.ts';

const SIDE = 8;
const DATASET = noiseDataset(12, SIDE);

const pixelsOf = (index: number): Uint8Array => DATASET.images.subarray(index * SIDE * SIDE, (index + 1) * SIDE * SIDE);
const pngOf = (pixels: Uint8Array, side = SIDE): Promise<Buffer> => sharp(pixels, { raw: { height: side, width: side, channels: 1 } }).png().toBuffer();

async function writeImages(directory: TemporaryDirectory, folder: string, classNames: readonly string[], indices: readonly number[]): Promise<void> {
  for (const [position, index] of indices.entries()) {
    await directory.write(`${folder}${classNames[position % classNames.length]}/${index}.png`, await pngOf(pixelsOf(index)));
  }
}

function load(directory: TemporaryDirectory, options: DataOptions = {}): Promise<DataSplits> {
  return loadSplits(dataConfig({ source: { kind: 'images', directory: directory.path }, test: 0.25, ...options }), { seed: 1 });
}

describe('a folder of images a class', () => {
  it('gives the pixels of PNG files exactly, with the folders as classes', async () => {
    await using directory = await temporaryDirectory();
    await writeImages(directory, 'training/', ['cat', 'dog'], [0, 1, 2, 3]);
    await writeImages(directory, 'test/', ['cat', 'dog'], [4, 5]);
    const { training, test, classNames } = await load(directory);
    expect(classNames).toEqual(['cat', 'dog']);
    expect([...training.labels]).toEqual([0, 0, 1, 1]);
    expect([0, 2, 1, 3].map((index) => [...pixelsOf(index)]).flat()).toEqual([...training.images]);
    expect([...test.images]).toEqual([...pixelsOf(4), ...pixelsOf(5)]);
  });

  it('splits one folder, and orders classes by number', async () => {
    await using directory = await temporaryDirectory();
    await writeImages(directory, '', ['10', '9'], [0, 1, 2, 3, 4, 5, 6, 7]);
    const { training, test, classNames } = await load(directory);
    expect(classNames).toEqual(['9', '10']);
    expect([training.numExamples, test.numExamples]).toEqual([6, 2]);
    expect([...test.labels]).toEqual([0, 1]);
  });

  it('names the image that is damaged, cut short or of another size, or drops it', async () => {
    await using directory = await temporaryDirectory();
    await writeImages(directory, '', ['a', 'b'], [0, 1, 2, 3, 4, 5, 6, 7]);
    await directory.write('a/damaged.png', 'no image');
    await directory.write('b/short.png', (await pngOf(noiseDataset(1, 64).images, 64)).subarray(0, 2000));
    await directory.write('b/small.png', await pngOf(noiseDataset(1, 5).images, 5));
    await expect(load(directory)).rejects.toThrow(/a\/damaged.png: unreadable: /);
    const { training, test, report } = await load(directory, { onBadSample: 'drop' });
    expect(training.numExamples + test.numExamples).toBe(8);
    expect(report.faults.flatMap(({ fault, examples }) => examples.map(({ file }) => `${fault} ${file.slice(directory.path.length + 1)}`))).toEqual([
      'unreadable a/damaged.png', 'unreadable b/short.png', 'wrong-size b/small.png',
    ]);
  });

  it('reads images of any size and in colour where resize and channels say so', async () => {
    await using directory = await temporaryDirectory();
    const red = (side: number): Promise<Buffer> => sharp({ create: { width: side, height: side, channels: 3, background: { r: 200, g: 10, b: 0 } } }).jpeg({ quality: 100 }).toBuffer();
    for (const side of [10, 20, 30, 40]) for (const name of ['a', 'b']) await directory.write(`${name}/${side}.jpg`, await red(side));
    const { training } = await load(directory, { resize: [16, 12], channels: 3 });
    expect(training.imageShape).toEqual({ height: 16, width: 12, channels: 3 });
    expect(Math.abs(training.images[0]! - 200)).toBeLessThan(3);
    expect(training.images[2]!).toBeLessThan(4);
  });

  it('refuses a directory without class folders, and test classes that training lacks', async () => {
    await using directory = await temporaryDirectory();
    await expect(load(directory)).rejects.toThrow(/0 folders, expected a folder for each of 2 to 256 classes/);
    await writeImages(directory, 'training/', ['a', 'b'], [0, 1]);
    await writeImages(directory, 'test/', ['a', 'c'], [2, 3]);
    await expect(load(directory)).rejects.toThrow(/test\/c: a class that the training set lacks/);
  });

  it('refuses folders without an image, and a missing directory', async () => {
    await using directory = await temporaryDirectory();
    await directory.write('a/readme.txt', '');
    await directory.write('b/readme.txt', '');
    await expect(load(directory)).rejects.toThrow(/no readable image among 0 files/);
    const nowhere = dataConfig({ source: { kind: 'images', directory: '/nowhere' } });
    await expect(loadSplits(nowhere, { seed: 1 })).rejects.toMatchObject({ code: 'not-found' });
  });
});
