import { runCoordinator } from '@lockstep/app-coordinator';
import { Command } from 'commander';
import { usableGpus } from '../train/gpus.ts';
import { LocalCluster } from '../train/local-cluster.ts';
import { printResult } from '../train/print-result.ts';
import { addRunOptions, createOutput, positiveInteger, prepareRun, signalOfProcess, type SharedOptions } from '../train/run-options.ts';

interface TrainOptions extends SharedOptions {
  readonly workers?: number;
  readonly parameterServers?: number;
}

const DEFAULT_CPU_WORKERS = 2;

export function trainCommand(): Command {
  const command = new Command('train')
    .description('Train a model on this machine: a coordinator and workers as processes of their own.')
    .option('--workers <count>', 'worker processes (default: one a GPU, else 2)', positiveInteger)
    .option('--parameter-servers <count>', 'processes that host shards, where shardHosts has servers (default: 1 then)', positiveInteger);
  return addRunOptions(command).action((options: TrainOptions) => train(command, options));
}

async function train(command: Command, options: TrainOptions): Promise<void> {
  const { config, bundle, resume, openDirectory } = await prepareRun(command, options);
  const gpus = await usableGpus(config.numerics.engine);
  const workers = options.workers ?? (gpus.length || DEFAULT_CPU_WORKERS);
  const parameterServers = options.parameterServers ?? (config.shardHosts.includes('servers') ? 1 : 0);
  const directory = await openDirectory();
  const sink = createOutput(options);
  const failure = new AbortController();
  const signal = AbortSignal.any([signalOfProcess(), failure.signal]);
  let cluster: LocalCluster | null = null;
  try {
    const result = await runCoordinator({
      config, bundle, directory, resume, minWorkers: workers, minServers: parameterServers, listen: '127.0.0.1:0', insecure: false, sharedMemory: options.sharedMemory, sink, signal,
      onListening: ({ unix }) => {
        cluster = new LocalCluster({
          workers, parameterServers, join: unix, engine: config.numerics.engine, sharedMemory: options.sharedMemory, gpus, signal,
          onLog: (message) => sink.write({ event: 'log', level: 'warn', message }),
          onFailure: (error) => failure.abort(error),
        });
      },
    });
    if (options.json !== true) printResult(result);
  } finally {
    await (cluster as LocalCluster | null)?.stop(config.failureDetectionMs);
  }
}
