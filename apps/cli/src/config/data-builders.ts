import type { DataOptions, DataSourceOptions } from '@lockstep/core';

/** How the data is split, cleaned, prepared and augmented, wherever it comes from. */
export type PreparationOptions = Omit<DataOptions, 'source'>;

/** The 70,000 handwritten digits of MNIST, embedded. */
export function mnist(options: PreparationOptions = {}): DataOptions {
  return { ...options, source: { kind: 'mnist' } };
}

/** A directory with `train-images-idx3-ubyte`, `train-labels-idx1-ubyte` and their `t10k` companions, plain or gzipped. */
export function idx(directory: string, options: PreparationOptions = {}): DataOptions {
  return { ...options, source: { kind: 'idx', directory } };
}

/** Files of `label,pixel0..pixel783` rows. Without a test file, `options.test` of the training file is split off. */
export function csv(training: string, test?: string, options: PreparationOptions = {}): DataOptions {
  return { ...options, source: { kind: 'csv', training, ...(test === undefined ? {} : { test }) } };
}

/** A folder of images a class, or `training/` and `test/` each with a folder a class. */
export function images(directory: string, options: PreparationOptions = {}): DataOptions {
  return { ...options, source: { kind: 'images', directory } };
}

/** How a token file is read. */
export type TokenOptions = Omit<Extract<DataSourceOptions, { kind: 'tokens' }>, 'kind' | 'file'> & Pick<DataOptions, 'validation' | 'test'>;

/** A token file that `lockstep data tokenize` has written; its last rows are held out. */
export function tokens(file: string, { rowLength, ...shares }: TokenOptions = {}): DataOptions {
  return { ...shares, source: { kind: 'tokens', file, ...(rowLength === undefined ? {} : { rowLength }) } };
}
