import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { LockstepError, type ExampleKind, type RunConfig } from '@lockstep/core';
import { decodeSplits, type DataSplits } from '@lockstep/data';
import { sizeOfImages, type EvaluationSize } from '@lockstep/scheduling';
import type { BlockReference, BlockShelf } from '@lockstep/transport';
import type { DatasetMessage, DatasetOrder } from './dataset-thread.ts';
import { offerTokens } from './token-dataset.ts';

/** What the coordinator knows of the run's data. */
export interface RunDataset {
  readonly examples: ExampleKind;
  /** Images, or rows of tokens, of the training set. */
  readonly numTraining: number;
  readonly sizes: Readonly<Record<'validation' | 'test', EvaluationSize>>;
  /** None where tokens are predicted. */
  readonly classNames: readonly string[];
  /** Null where tokens are predicted. */
  readonly splits: DataSplits | null;
  readonly block: Required<BlockReference>;
}

export interface PrepareOptions {
  readonly signal: AbortSignal;
  /** Told now and then while reading takes long. */
  readonly onProgress: (message: string) => void;
}

const PROGRESS_INTERVAL_MS = 2000;

/** The run's data, as one block that the workers read or fetch. */
export function prepareDataset(config: RunConfig, directory: string, shelf: BlockShelf, options: PrepareOptions): Promise<RunDataset> {
  const { source } = config.data;
  return source.kind === 'tokens' ? offerTokens(source, config.data, shelf, options) : prepareImages(config, directory, shelf, options);
}

/** Reads, cleans and splits images once for all workers, on a thread of its own. */
async function prepareImages(config: RunConfig, directory: string, shelf: BlockShelf, options: PrepareOptions): Promise<RunDataset> {
  const path = join(directory, 'dataset');
  const { block, sha256 } = await prepareOnThread({ data: config.data, seed: config.seed, path }, options);
  const splits = decodeSplits(block);
  requireSamples(splits);
  const { training, validation, test, classNames } = splits;
  return {
    examples: 'images', numTraining: training.numExamples, sizes: { validation: sizeOfImages(validation.numExamples), test: sizeOfImages(test.numExamples) },
    classNames, splits, block: shelf.putFile(path, sha256, block.byteLength),
  };
}

type Prepared = Extract<DatasetMessage, { readonly kind: 'prepared' }>;

async function prepareOnThread(order: DatasetOrder, { signal, onProgress }: PrepareOptions): Promise<Prepared> {
  signal.throwIfAborted();
  const prepared = Promise.withResolvers<Prepared>();
  const tellProgress = sparse(onProgress);
  const thread = new Worker(new URL('./dataset-thread.ts', import.meta.url), { workerData: order });
  const abort = (): void => prepared.reject(signal.reason);
  thread.on('message', (message: DatasetMessage) => {
    if (message.kind === 'progress') tellProgress(message.done, message.total, message.what);
    else if (message.kind === 'prepared') prepared.resolve(message);
    else prepared.reject(new LockstepError(message.code, message.message, message.hint === undefined ? {} : { hint: message.hint }));
  });
  thread.on('error', (error) => prepared.reject(new LockstepError('data', `cannot prepare the data: ${error.message}`, { cause: error })));
  thread.on('exit', () => prepared.reject(new LockstepError('data', 'the thread that prepares the data ended')));
  signal.addEventListener('abort', abort);
  try {
    return await prepared.promise;
  } finally {
    signal.removeEventListener('abort', abort);
    await thread.terminate();
  }
}

function requireSamples(splits: DataSplits): void {
  for (const name of ['training', 'test'] as const) {
    if (splits[name].numExamples === 0) {
      throw new LockstepError('data', `the ${name} split has no samples`, { hint: 'data.test and data.validation are shares of the training set' });
    }
  }
}

/** Turns counts into a message at most every two seconds, the first after two. */
function sparse(onProgress: (message: string) => void): (done: number, total: number, what: string) => void {
  let lastMs = performance.now();
  return (done, total, what) => {
    if (performance.now() - lastMs < PROGRESS_INTERVAL_MS) return;
    lastMs = performance.now();
    onProgress(`${what}: ${done.toLocaleString('en')}${total > 0 ? ` of ${total.toLocaleString('en')}` : ''}`);
  };
}
