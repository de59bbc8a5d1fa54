import { runCoordinator } from '@lockstep/app-coordinator';
import { createRunDirectory } from '@lockstep/checkpoint';
import { Command } from 'commander';
import { usableGpus } from '../train/gpus.ts';
import { LocalWorkers } from '../train/local-workers.ts';
import { printResult } from '../train/print-result.ts';
import { addRunOptions, createOutput, loadConfiguredRun, positiveInteger, signalOfProcess, type SharedOptions } from '../train/run-options.ts';

interface TrainOptions extends SharedOptions {
  readonly workers?: number;
}

const DEFAULT_CPU_WORKERS = 2;

export function trainCommand(): Command {
  const command = new Command('train')
    .description('Train a model on this machine: a coordinator and workers as processes of their own.')
    .option('--workers <count>', 'worker processes (default: one a GPU, else 2)', positiveInteger);
  return addRunOptions(command).action((options: TrainOptions) => train(command, options));
}

async function train(command: Command, options: TrainOptions): Promise<void> {
  const { config, customModel } = await loadConfiguredRun(command, options);
  const gpus = await usableGpus(config.numerics.engine);
  const count = options.workers ?? (gpus.length || DEFAULT_CPU_WORKERS);
  const directory = await createRunDirectory(options.runsDir, options.run);
  const failure = new AbortController();
  let workers: LocalWorkers | null = null;
  try {
    const result = await runCoordinator({
      config, bundle: customModel, directory, minWorkers: count, listen: '127.0.0.1:0', insecure: false, sharedMemory: options.sharedMemory,
      sink: createOutput(options),
      signal: AbortSignal.any([signalOfProcess(), failure.signal]),
      onListening: ({ unix }) => {
        workers = new LocalWorkers({ count, join: unix, engine: config.numerics.engine, gpus, onFailure: (error) => failure.abort(error) });
      },
    });
    if (options.json !== true) printResult(result);
  } finally {
    await (workers as LocalWorkers | null)?.stop(config.failureDetectionMs);
  }
}
