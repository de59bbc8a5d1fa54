import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { LockstepError, type RunConfig } from '@lockstep/core';
import { decodeSplits, type DataSplits } from '@lockstep/data';
import type { BlockReference, BlockShelf } from '@lockstep/transport';
import type { DatasetMessage, DatasetOrder } from './dataset-thread.ts';

export interface RunDataset {
  readonly splits: DataSplits;
  readonly block: Required<BlockReference>;
}

export interface PrepareOptions {
  readonly signal: AbortSignal;
  /** Told now and then while reading takes long. */
  readonly onProgress: (message: string) => void;
}

const PROGRESS_INTERVAL_MS = 2000;

/** Reads, cleans and splits the data once for all workers, on a thread of its own, and lays it out as one block that they read or fetch. */
export async function prepareDataset(config: RunConfig, directory: string, shelf: BlockShelf, options: PrepareOptions): Promise<RunDataset> {
  const path = join(directory, 'dataset');
  const { block, sha256 } = await prepareOnThread({ data: config.data, seed: config.seed, path }, options);
  const splits = decodeSplits(block);
  requireSamples(splits);
  return { splits, block: shelf.putFile(path, sha256, block.byteLength) };
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
