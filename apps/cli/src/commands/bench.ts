import { rm } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { createProcessDirectory } from '@lockstep/transport';
import { Command, InvalidArgumentError } from 'commander';
import { measureScale, type ScaleOptions, type ScaleRow } from '../scale/measure-scale.ts';
import { ProgressLine } from '../scale/progress-line.ts';
import { renderScaleRow, scaleHeader } from '../scale/render-scale.ts';
import { positiveInteger, signalOfProcess } from '../train/run-options.ts';

interface ScaleCommandOptions extends ScaleOptions {
  readonly json?: true;
}

const MOST_WORKERS = 1024;

export function benchCommand(): Command {
  return new Command('bench').description('Measure what this machine does.').addCommand(scaleCommand());
}

function scaleCommand(): Command {
  return new Command('scale')
    .description('Measure the coordinator against the number of workers: the real coordinator, shards and protocol, with workers that only wait and send fixed gradients.')
    .option('--workers <counts>', `how many workers, several with commas, each 1 to ${MOST_WORKERS}`, workerCounts, [1, 2, 4, 8, 16, 32, 64, 128, 256])
    .option('--steps <count>', 'steps that are measured, after 50 that warm up', positiveInteger, 200)
    .option('--parameters <count>', 'parameters of the model', positiveInteger, 1000)
    .option('--compute-ms <ms>', 'what a micro-batch takes a worker; there are as many as workers, or the next power of two', milliseconds, 5)
    .option('--processes <count>', 'processes over which the workers are dealt', positiveInteger, availableParallelism())
    .option('--json', 'print one JSON object')
    .action(measure);
}

function workerCounts(text: string): readonly number[] {
  return text.split(',').map((count) => {
    const workers = Number(count);
    if (count.trim() === '' || !Number.isInteger(workers) || workers < 1 || workers > MOST_WORKERS) {
      throw new InvalidArgumentError(`got "${count}", expected whole numbers from 1 to ${MOST_WORKERS}, as in 1,16,256`);
    }
    return workers;
  });
}

function milliseconds(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0) throw new InvalidArgumentError(`got "${text}", expected milliseconds from 0`);
  return value;
}

async function measure({ json, ...options }: ScaleCommandOptions): Promise<void> {
  const directory = createProcessDirectory(tmpdir());
  const progress = new ProgressLine(process.stderr);
  const rows: ScaleRow[] = [];
  try {
    if (!json) console.log(scaleHeader());
    for await (const row of measureScale(options, { directory, signal: signalOfProcess(), onProgress: (message) => progress.show(message) })) {
      progress.clear();
      rows.push(row);
      if (!json) console.log(renderScaleRow(row));
      if (row.workersLost > 0) console.error(`${row.workers} workers: ${row.workersLost} were lost while steps were measured: this machine is too busy for so many, and the row says more of that than of the coordinator`);
    }
  } finally {
    progress.clear();
    await rm(directory, { recursive: true, force: true });
  }
  if (json) console.log(JSON.stringify({ cores: availableParallelism(), processor: cpus()[0]?.model ?? '', ...options, rows }));
}
