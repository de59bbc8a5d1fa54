import { Command, type CommanderError } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { COMMANDS, type CommandEntry } from './commands/index.ts';

/** The `lockstep` command. Only the command that `args` ask for is loaded, so that each starts quickly; the others are names in the help. */
export async function buildProgram(args: readonly string[]): Promise<Command> {
  const program = new Command('lockstep')
    .description('Distributed data-parallel training: the same weights, bit for bit, for any number of workers.')
    .version(manifest.version);
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
