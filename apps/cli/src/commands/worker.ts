import { runWorker } from '@lockstep/app-worker';
import { parseHostPort } from '@lockstep/transport';
import { numericsSchema, type NumericsConfig } from '@lockstep/core';
import { Command, Option } from 'commander';
import { signalOfParent } from '../train/parent-process.ts';
import { signalOfProcess } from '../train/run-options.ts';

interface WorkerCommandOptions {
  readonly join: string;
  readonly listen: string;
  readonly insecure?: true;
  readonly engine: NumericsConfig['engine'];
}

export function workerCommand(): Command {
  return new Command('worker')
    .description("Join a coordinator's run. The run's config, model and data come from the coordinator. SIGTERM and Ctrl-C make the worker leave in order, a second one ends it.")
    .requiredOption('--join <host:port>', 'where the coordinator listens')
    .option('--listen <host>', 'where shards of this process listen, if the run has workers host shards', '127.0.0.1')
    .option('--insecure', 'allow listening beyond this machine, without encryption')
    .addOption(engineOption('--engine <engine>').default('auto'))
    .addOption(engineOption('--numerics.engine <engine>').hideHelp())
    .action(join);
}

/** Both spellings that `train` has. */
function engineOption(flags: string): Option {
  const option = new Option(flags, 'which engine this machine offers').choices(numericsSchema.shape.engine.unwrap().options);
  option.attributeName = () => 'engine';
  return option;
}

async function join(options: WorkerCommandOptions): Promise<void> {
  if (!options.join.startsWith('unix:')) parseHostPort(options.join);
  await runWorker({
    join: options.join,
    engine: options.engine,
    listenHost: options.listen,
    insecure: options.insecure === true,
    signal: signalOfParent(),
    leaving: signalOfProcess(),
    onWelcome: (rank) => process.stdout.write(`joined ${options.join} as worker ${rank}\n`),
    onNote: (message) => process.stdout.write(`${message}\n`),
  });
}
