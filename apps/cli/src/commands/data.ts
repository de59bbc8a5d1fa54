import { Command } from 'commander';
import { addConfigFlags, loadRun, readConfigFlags } from '../config/index.ts';
import { inspectData } from '../data-inspect/inspection.ts';
import { requirePictureName, writePicture } from '../data-inspect/picture-file.ts';
import { showProgress } from '../data-inspect/progress.ts';
import { renderInspection } from '../data-inspect/terminal.ts';
import { tokenizeCommand } from '../tokenize/tokenize-command.ts';

interface InspectOptions {
  readonly config?: string;
  readonly data?: string;
  readonly out?: string;
}

export function dataCommand(): Command {
  return new Command('data').description('Look at the data of a run, or make it of text.').addCommand(inspectCommand()).addCommand(tokenizeCommand());
}

function inspectCommand(): Command {
  const command = new Command('inspect')
    .description('Show nine samples as the model sees them, the histogram of labels and what cleaning found. Bad samples are dropped and counted here.')
    .option('--config <file>', 'a config file')
    .option('--data <source>', 'mnist | idx:DIR | csv:TRAIN[,TEST] | images:DIR')
    .option('--out <file>', 'write the picture too, as .png or .svg');
  return addConfigFlags(command).action(async (options: InspectOptions, self: Command) => {
    if (options.out !== undefined) requirePictureName(options.out);
    const { config } = await loadRun({ configFile: options.config, overrides: readConfigFlags(self), dataFlag: options.data });
    const progress = showProgress(process.stderr);
    const inspection = await inspectData(config, progress.report).finally(progress.stop);
    console.log(await renderInspection(inspection, { columns: process.stdout.columns ?? 100, colorDepth: colorDepthOf(process.stdout) }));
    if (options.out !== undefined) console.log(`\n${await writePicture(inspection, options.out)}`);
  });
}

/** Bits a colour; 1 where the output takes none. */
function colorDepthOf(stream: NodeJS.WriteStream): number {
  return stream.isTTY ? stream.getColorDepth() : 1;
}
