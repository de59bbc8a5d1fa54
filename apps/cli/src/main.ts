#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import { Command, CommanderError } from 'commander';
import { COMMANDS, type CommandEntry } from './commands/index.ts';
import { exitCodeOf, printError } from './print-error.ts';

enableCompileCache();
// A reader that goes away, such as `head`, ends the command; it is no failure of the run.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
}

try {
  const program = await buildProgram(process.argv.slice(2));
  await program.parseAsync(process.argv);
} catch (thrown) {
  printError(thrown);
  process.exitCode = exitCodeOf(thrown);
}

/** Loads only the command that is asked for, so that each starts quickly; the others are names in the help. */
async function buildProgram(args: readonly string[]): Promise<Command> {
  const program = new Command('lockstep')
    .description('Distributed data-parallel training: the same weights, bit for bit, for any number of workers.')
    .version('0.1.0')
    .showHelpAfterError('(lockstep --help lists the commands)');
  const wanted = args.find((arg) => arg !== 'help' && !arg.startsWith('-'));
  for (const entry of COMMANDS) program.addCommand(entry.name === wanted ? await load(entry) : summaryOf(entry));
  return withExceptions(program);
}

async function load({ load: loadCommand, summary }: CommandEntry): Promise<Command> {
  const command = await loadCommand();
  return command.summary(summary);
}

const summaryOf = ({ name, summary }: CommandEntry): Command => new Command(name).summary(summary);

/** Usage errors come as exceptions, so that one place chooses the exit code. */
function withExceptions(command: Command): Command {
  command.exitOverride((error: CommanderError) => { throw error; });
  command.commands.forEach(withExceptions);
  return command;
}
