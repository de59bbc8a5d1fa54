import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { dataSchema, type DataConfig, type DataOptions } from '@lockstep/core';
import type { Dataset } from '../dataset.ts';

export interface TemporaryDirectory extends AsyncDisposable {
  readonly path: string;
  write(name: string, content: Uint8Array | string): Promise<string>;
}

/** A directory that is removed at the end of the scope: `await using directory = await temporaryDirectory()`. */
export async function temporaryDirectory(): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(tmpdir(), 'lockstep-data-'));
  return {
    path,
    async write(name, content) {
      const file = join(path, name);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content);
      return file;
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true }),
  };
}

export function dataConfig(options: DataOptions = {}): DataConfig {
  return dataSchema.parse(options);
}

/** `numExamples` images of noise, no two alike, with the labels 0, 1, …, `numClasses - 1`, 0, … */
export function noiseDataset(numExamples: number, side = 4, numClasses = 10): Dataset {
  const images = Uint8Array.from({ length: numExamples * side * side }, (_, at) => (Math.imul(at + 1, 0x9e3779b1) >>> 16) & 255);
  const labels = Uint8Array.from({ length: numExamples }, (_, index) => index % numClasses);
  return { images, labels, imageShape: { height: side, width: side, channels: 1 }, numExamples };
}

/** An IDX file: header and bytes. */
export function idxBytes(dimensions: readonly number[], bytes: Uint8Array, magic = 0x0800 + dimensions.length): Uint8Array {
  const content = new Uint8Array(4 + 4 * dimensions.length + bytes.length);
  const view = new DataView(content.buffer);
  view.setUint32(0, magic);
  dimensions.forEach((size, index) => view.setUint32(4 + 4 * index, size));
  content.set(bytes, 4 + 4 * dimensions.length);
  return content;
}

export function csvText(dataset: Dataset, header = true): string {
  const length = dataset.images.length / dataset.numExamples;
  const names = ['label', ...Array.from({ length }, (_, pixel) => `pixel${pixel}`)].join(',');
  const lines = Array.from({ length: dataset.numExamples }, (_, index) => [dataset.labels[index], ...dataset.images.subarray(index * length, (index + 1) * length)].join(','));
  return [...(header ? [names] : []), ...lines].join('\n') + '\n';
}
