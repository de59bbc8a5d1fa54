import { runParameterServer } from '@lockstep/app-parameter-server';
import { parseHostPort } from '@lockstep/transport';
import { Command } from 'commander';
import { signalOfParent } from '../train/parent-process.ts';
import { signalOfProcess } from '../train/run-options.ts';

interface ParameterServerCommandOptions {
  readonly join: string;
  readonly listen: string;
  readonly insecure?: true;
  readonly sharedMemory: boolean;
}

export function parameterServerCommand(): Command {
  return new Command('parameter-server')
    .description("Host shards of a coordinator's run, if its shardHosts name servers. SIGTERM and Ctrl-C make it hand its shards over and leave, a second one ends it.")
    .requiredOption('--join <host:port>', 'where the coordinator listens')
    .option('--listen <host>', 'where the shards listen', '127.0.0.1')
    .option('--insecure', 'allow listening beyond this machine, without encryption')
    .option('--no-shared-memory', 'send all tensors over sockets')
    .action(join);
}

async function join(options: ParameterServerCommandOptions): Promise<void> {
  if (!options.join.startsWith('unix:')) parseHostPort(options.join);
  await runParameterServer({
    join: options.join,
    listenHost: options.listen,
    insecure: options.insecure === true,
    sharedMemory: options.sharedMemory,
    signal: signalOfParent(),
    leaving: signalOfProcess(),
    onWelcome: (host) => process.stdout.write(`joined ${options.join} as shard host ${host}\n`),
  });
}
