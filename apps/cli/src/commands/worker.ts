import { runWorker } from '@lockstep/app-worker';
import { parseHostPort } from '@lockstep/transport';
import type { NumericsConfig } from '@lockstep/core';
import { Command, Option } from 'commander';
import { signalOfProcess } from '../train/run-options.ts';

interface WorkerCommandOptions {
  readonly join: string;
  readonly 'numerics.engine': NumericsConfig['engine'];
}

export function workerCommand(): Command {
  const engine = new Option('--numerics.engine <engine>', 'which engine this machine offers').choices(['auto', 'cpu', 'gpu', 'javascript']).default('auto');
  engine.attributeName = () => 'numerics.engine';
  return new Command('worker')
    .description("Join a coordinator's run. The run's config, model and data come from the coordinator.")
    .requiredOption('--join <host:port>', 'where the coordinator listens')
    .addOption(engine)
    .action(join);
}

async function join(options: WorkerCommandOptions): Promise<void> {
  if (!options.join.startsWith('unix:')) parseHostPort(options.join);
  await runWorker({
    join: options.join,
    engine: options['numerics.engine'],
    signal: signalOfProcess(),
    onWelcome: (rank) => process.stdout.write(`joined ${options.join} as worker ${rank}\n`),
  });
}
