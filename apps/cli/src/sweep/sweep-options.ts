import { InvalidArgumentError, Option, type Command } from 'commander';
import { addConfigFlags, readConfigFlags } from '../config/index.ts';
import { positiveInteger } from '../train/run-options.ts';
import { METRICS, type Metric } from './metric.ts';

export interface Range {
  readonly least: number;
  readonly most: number;
}

export interface SweepOptions {
  readonly config?: string;
  readonly data?: string;
  readonly grid: readonly string[];
  readonly random: readonly string[];
  readonly trials?: number;
  readonly metric: Metric;
  readonly halving?: true;
  readonly budgetEpochs?: Range;
  readonly budgetSteps?: Range;
  readonly factor: number;
  readonly name?: string;
  readonly resume?: string;
  readonly runsDir: string;
  readonly workers?: number;
  readonly parallel: number;
  readonly sharedMemory: boolean;
  readonly json?: true;
}

/** What a sweep that goes on may be told anew: where it computes, and how it shows. */
export const RESUME_OPTIONS: readonly string[] = ['resume', 'runsDir', 'workers', 'parallel', 'sharedMemory', 'json'];

const DEFAULT_FACTOR = 3;

export function addSweepOptions(command: Command): Command {
  return addConfigFlags(command
    .option('--config <file>', 'TypeScript config file')
    .option('--data <source>', 'mnist | idx:DIR | csv:TRAIN[,TEST] | images:DIR')
    .option('--grid <field=values>', 'try each of these values, by commas; of a list field by semicolons (repeatable)', gather, [])
    .option('--random <field=range>', 'draw from LOW..HIGH, log:LOW..HIGH or a list of values (repeatable)', gather, [])
    .option('--trials <count>', 'draws of the --random fields, at each point of the grid', positiveInteger)
    .addOption(new Option('--metric <name>', 'what trials are compared by; loss is that on the test set').choices(METRICS).default('validation.loss'))
    .option('--halving', 'successive halving: all trials get the least budget, the best go on')
    .option('--budget-epochs <min..max>', 'budgets of --halving in epochs; a trial goes on where it paused', range)
    .option('--budget-steps <min..max>', 'budgets of --halving in steps; a trial begins anew with each budget', range)
    .option('--factor <n>', 'one of so many trials goes on, with so many times the budget', wholeFactor, DEFAULT_FACTOR)
    .option('--name <name>', 'name of the sweep (default: date and time)')
    .option('--resume <name>', 'go on with a sweep that was interrupted')
    .option('--runs-dir <dir>', 'where runs are kept', 'runs')
    .option('--workers <count>', 'worker processes of a trial (default: one a GPU of the trial, else 2)', positiveInteger)
    .option('--parallel <count>', 'trials at once, each with workers of its own', positiveInteger, 1)
    .option('--no-shared-memory', 'send all tensors over sockets')
    .option('--json', 'print one JSON object at the end'));
}

/** The flags that set fields of every trial's config, as `lockstep train` takes them. */
export function configFlagsOf(command: Command): string[] {
  return readConfigFlags(command).flatMap(({ flag }) => [flag, String(command.getOptionValue(flag.slice(2)))]);
}

const gather = (text: string, before: readonly string[]): readonly string[] => [...before, text];

function range(text: string): Range {
  const [least, most] = text.split('..').map(Number);
  if (Number.isInteger(least) && Number.isInteger(most) && least! >= 1 && most! >= least!) return { least: least!, most: most! };
  throw new InvalidArgumentError(`got "${text}", expected MIN..MAX, two whole numbers from 1, such as 1..9`);
}

function wholeFactor(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 2) return value;
  throw new InvalidArgumentError(`got "${text}", expected a whole number from 2`);
}
