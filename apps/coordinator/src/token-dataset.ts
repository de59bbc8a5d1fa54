import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { LockstepError, messageOf, type DataConfig, type DataSource } from '@lockstep/core';
import { sizeOfRows } from '@lockstep/scheduling';
import { openTokenFile, splitRows } from '@lockstep/text';
import type { BlockShelf } from '@lockstep/transport';
import type { PrepareOptions, RunDataset } from './dataset.ts';

/** A token file as it is: nothing but its header is held in memory here. */
export async function offerTokens({ file, rowLength }: Extract<DataSource, { kind: 'tokens' }>, shares: DataConfig, shelf: BlockShelf, { signal }: PrepareOptions): Promise<RunDataset> {
  using tokens = openTokenFile(file);
  const { training, validation, test } = splitRows(tokens.numRows(rowLength), shares);
  if (test.from === test.to) throw new LockstepError('config', `data.test: ${shares.test} of the rows of ${file} is none, expected at least one`, { hint: 'raise data.test' });
  const { sha256, numBytes } = await hashFile(file, signal);
  return {
    examples: 'tokens', numTraining: training.to - training.from,
    sizes: { validation: sizeOfRows(validation.to - validation.from, rowLength), test: sizeOfRows(test.to - test.from, rowLength) },
    classNames: [], splits: null, block: shelf.putFile(file, sha256, numBytes),
  };
}

async function hashFile(path: string, signal: AbortSignal): Promise<{ readonly sha256: string; readonly numBytes: number }> {
  const hash = createHash('sha256');
  let numBytes = 0;
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024, signal }) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      numBytes += chunk.byteLength;
    }
  } catch (cause) {
    signal.throwIfAborted();
    throw new LockstepError('data', `cannot read ${path}: ${messageOf(cause)}`, { cause });
  }
  return { sha256: hash.digest('hex'), numBytes };
}
