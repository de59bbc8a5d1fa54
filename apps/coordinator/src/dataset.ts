import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LockstepError, sha256, type RunConfig } from '@lockstep/core';
import { encodeSplits, loadSplits, type DataSplits } from '@lockstep/data';
import type { BlockReference, BlockShelf } from '@lockstep/transport';

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

/** Reads, cleans and splits the data once for all workers, and lays it out as one block that they read or fetch. */
export async function prepareDataset(config: RunConfig, directory: string, shelf: BlockShelf, options: PrepareOptions): Promise<RunDataset> {
  const splits = await loadSplits(config.data, { seed: config.seed, signal: options.signal, onProgress: sparse(options.onProgress) });
  requireSamples(splits);
  const bytes = encodeSplits(splits);
  const path = join(directory, 'dataset');
  await writeFile(path, bytes, { mode: 0o600 });
  return { splits, block: shelf.putFile(path, sha256(bytes), bytes.byteLength) };
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
