import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runSchema, type RunConfig } from '@lockstep/core';

/** Copies of the state are made at each epoch's end, as in any run: not so often that they would be what is measured. */
const STEPS_PER_EPOCH = 1000;
const EPOCHS = 1_000_000;

/** The least power of two that gives every worker a micro-batch. */
export const microBatchesFor = (workers: number): number => 2 ** Math.ceil(Math.log2(workers));

/** A run without end over a data set of one pixel a sample, one sample a micro-batch, with its shards in a process of their own. */
export async function prepareScaleRun(directory: string, workers: number): Promise<RunConfig> {
  const microBatches = microBatchesFor(workers);
  const data = join(directory, `data-${microBatches}`);
  await mkdir(data, { recursive: true });
  await writeIdx(join(data, 'train'), microBatches * STEPS_PER_EPOCH);
  await writeIdx(join(data, 't10k'), 1);
  return runSchema.parse({
    data: { source: { kind: 'idx', directory: data } }, optimizer: { kind: 'sgd', learningRate: 1 }, globalBatchSize: microBatches, microBatches,
    epochs: EPOCHS, shardHosts: ['servers'], checkpoints: { everyEpoch: false, everyMinutes: null },
  });
}

async function writeIdx(prefix: string, samples: number): Promise<void> {
  await writeFile(`${prefix}-images-idx3-ubyte`, idxBytes([samples, 1, 1], samples));
  await writeFile(`${prefix}-labels-idx1-ubyte`, idxBytes([samples], samples));
}

function idxBytes(dimensions: readonly number[], length: number): Buffer {
  const bytes = Buffer.alloc(4 + 4 * dimensions.length + length);
  bytes.writeUInt32BE(0x0800 + dimensions.length, 0);
  dimensions.forEach((size, index) => bytes.writeUInt32BE(size, 4 + 4 * index));
  return bytes;
}
