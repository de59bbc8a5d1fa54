import { assertNever, LockstepError, type DataConfig } from '@lockstep/core';
import { CleaningLog, type CleaningReport } from './cleaning-report.ts';
import { clean } from './clean.ts';
import { describeShape, firstExamples, type Dataset } from './dataset.ts';
import { readCsv } from './readers/csv-reader.ts';
import { readIdxDirectory } from './readers/idx-reader.ts';
import { readImageFolders } from './readers/images-reader.ts';
import { readMnist } from './readers/mnist-reader.ts';
import type { ReadContext, ReportProgress, SourcePart, SourceParts } from './readers/source-parts.ts';
import { splitDataset } from './split.ts';
import { computeStatistics, type Statistics } from './statistics.ts';

/** The data of a run: cleaned and split, still as bytes. */
export interface DataSplits {
  readonly training: Dataset;
  /** Of no example where the run holds out nothing. */
  readonly validation: Dataset;
  readonly test: Dataset;
  /** The name of each label. */
  readonly classNames: readonly string[];
  /** Of the training split only. */
  readonly statistics: Statistics;
  readonly report: CleaningReport;
}

export interface LoadOptions {
  readonly seed: number;
  readonly signal?: AbortSignal;
  /** `done` of `total` (samples or bytes) of `what` (a file or folder) are read. */
  readonly onProgress?: ReportProgress;
}

const TEST_SPLIT = 0;
const VALIDATION_SPLIT = 1;

/**
 * Reads the source, cleans it and splits it: a pure function of the files, the config and the seed. Errors (`data`, `not-found`,
 * `config`) name file, row and reason.
 */
export async function loadSplits(config: DataConfig, options: LoadOptions): Promise<DataSplits> {
  const log = new CleaningLog(config.onBadSample);
  const parts = await readSource({ config, log, signal: options.signal, onProgress: options.onProgress ?? (() => {}) });
  const sources = parts.test === null ? [parts.training] : [parts.training, parts.test];
  requireOneShape(sources);
  const cleaned = clean(sources, { ...config, numClasses: parts.classNames.length }, log);
  const [all, test] = cleaned.map((dataset) => firstExamples(dataset, config.limit || dataset.numExamples));
  const report = log.report(sum(sources, (part) => part.numRead), sum(cleaned, (dataset) => dataset.numExamples));
  return { ...split(all!, test, config, options.seed), classNames: parts.classNames, report };
}

function readSource(context: ReadContext): Promise<SourceParts> {
  const { source } = context.config;
  switch (source.kind) {
    case 'mnist': return readMnist(context);
    case 'idx': return readIdxDirectory(source.directory, context);
    case 'csv': return readCsv(source, context);
    case 'images': return readImageFolders(source.directory, context);
    case 'tokens': throw new LockstepError('config', `data.source: ${source.file} holds tokens, expected images`);
    default: return assertNever(source);
  }
}

function requireOneShape(sources: readonly SourcePart[]): void {
  const [training, test] = sources;
  if (test === undefined || training === undefined) return;
  const [expected, found] = [describeShape(training.dataset.imageShape), describeShape(test.dataset.imageShape)];
  if (found !== expected) throw new LockstepError('data', `${test.originOf(0).file}: test images of ${found}, expected ${expected} as the training images`);
}

function split(all: Dataset, sourceTest: Dataset | undefined, config: DataConfig, seed: number): Pick<DataSplits, 'training' | 'validation' | 'test' | 'statistics'> {
  const { stratified } = config;
  const withoutTest = sourceTest === undefined ? splitDataset(all, { share: config.test, stratified, seed, splitNumber: TEST_SPLIT }) : { kept: all, heldOut: sourceTest };
  const { kept: training, heldOut: validation } = splitDataset(withoutTest.kept, { share: config.validation, stratified, seed, splitNumber: VALIDATION_SPLIT });
  const test = withoutTest.heldOut;
  if (test.numExamples === 0) throw emptyPart('test', config.test, all.numExamples);
  if (config.validation > 0 && validation.numExamples === 0) throw emptyPart('validation', config.validation, withoutTest.kept.numExamples);
  if (training.numExamples === 0) throw new LockstepError('data', `no training sample is left of ${all.numExamples}`);
  return { training, validation, test, statistics: computeStatistics(training) };
}

function emptyPart(part: 'test' | 'validation', share: number, numExamples: number): LockstepError {
  return new LockstepError('config', `data.${part}: ${share} of ${numExamples} samples is none, expected at least one`, { hint: `raise data.${part}` });
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}
