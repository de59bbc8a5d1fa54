import { runCoordinator } from '@lockstep/app-coordinator';
import { requireLocalOrInsecure } from '@lockstep/transport';
import { Command } from 'commander';
import { printResult } from '../train/print-result.ts';
import { addRunOptions, createOutput, positiveInteger, prepareRun, signalOfProcess, type SharedOptions } from '../train/run-options.ts';

interface CoordinatorCommandOptions extends SharedOptions {
  readonly listen: string;
  readonly minWorkers: number;
  readonly minServers: number;
  readonly insecure?: true;
}

export function coordinatorCommand(): Command {
  const command = new Command('coordinator')
    .description('Coordinate a run for workers that are started by hand with `lockstep worker --join`.')
    .option('--listen <host:port>', 'where workers join; port 0 takes a free one', '127.0.0.1:7077')
    .option('--min-workers <count>', 'start when so many have joined', positiveInteger, 1)
    .option('--min-servers <count>', 'and so many parameter servers, where shardHosts has servers', positiveInteger, 1)
    .option('--insecure', 'allow listening beyond this machine, without encryption');
  return addRunOptions(command).action((options: CoordinatorCommandOptions) => coordinate(command, options));
}

async function coordinate(command: Command, options: CoordinatorCommandOptions): Promise<void> {
  const { config, bundle, resume, openDirectory } = await prepareRun(command, options);
  requireLocalOrInsecure(options.listen, options.insecure === true);
  const directory = await openDirectory();
  const sink = createOutput(options);
  const result = await runCoordinator({
    config, bundle, directory, resume, minWorkers: options.minWorkers, minServers: options.minServers, listen: options.listen, insecure: options.insecure === true,
    sharedMemory: options.sharedMemory, sink, signal: signalOfProcess(),
    onListening: ({ tcp }) => sink.write({ event: 'log', level: 'info', message: `listening on ${tcp}: lockstep worker --join ${tcp}` }),
  });
  if (options.json !== true) printResult(result);
}
