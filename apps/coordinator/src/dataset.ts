import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256, type RunConfig } from '@lockstep/core';
import { encodeSplits, loadSplits, type DataSplits } from '@lockstep/data';
import type { BlockReference, BlockShelf } from '@lockstep/transport';

export interface RunDataset {
  readonly splits: DataSplits;
  readonly block: Required<BlockReference>;
}

/** Reads, cleans and splits the data once for all workers, and lays it out as one block that they read or fetch. */
export async function prepareDataset(config: RunConfig, directory: string, shelf: BlockShelf, signal: AbortSignal): Promise<RunDataset> {
  const splits = await loadSplits(config.data, { seed: config.seed, signal });
  const bytes = encodeSplits(splits);
  const path = join(directory, 'dataset');
  await writeFile(path, bytes, { mode: 0o600 });
  return { splits, block: shelf.putFile(path, sha256(bytes), bytes.byteLength) };
}
