import { createRunDirectory, type RunDirectory } from '@lockstep/checkpoint';
import { LockstepError, type ConfigBundle, type RunConfig } from '@lockstep/core';
import { InvalidArgumentError, type Command } from 'commander';
import { createJsonLines, createPlainLog, createTerminalProgress, type RunEventSink } from '@lockstep/telemetry';
import { addConfigFlags, loadRun, readConfigFlags, type FieldOverride } from '../config/index.ts';
import { resumeRun } from './resume-run.ts';

/** What `train` and `coordinator` have in common besides the config's own fields. */
export interface SharedOptions {
  readonly config?: string;
  readonly data?: string;
  readonly run?: string;
  readonly resume?: string;
  readonly runsDir: string;
  readonly sharedMemory: boolean;
  readonly json?: true;
}

export interface PreparedRun {
  readonly config: RunConfig;
  readonly bundle: ConfigBundle | null;
  readonly resume: boolean;
  /** Makes the directory of a new run, once nothing else can be wrong. */
  readonly openDirectory: () => Promise<RunDirectory>;
}

export function addRunOptions(command: Command): Command {
  return addConfigFlags(command
    .option('--config <file>', 'TypeScript config file')
    .option('--data <source>', 'mnist | idx:DIR | csv:TRAIN[,TEST] | images:DIR')
    .option('--run <name>', 'name of the run (default: date and time)')
    .option('--resume <name>', 'go on with a run from its last checkpoint; flags may only change the cluster')
    .option('--runs-dir <dir>', 'where runs are kept', 'runs')
    .option('--no-shared-memory', 'send all tensors over sockets')
    .option('--json', 'print one JSON object a line'));
}

/** The run that the flags name, with its directory: a new one, or one that goes on. */
export async function prepareRun(command: Command, options: SharedOptions): Promise<PreparedRun> {
  const overrides: readonly FieldOverride[] = readConfigFlags(command);
  if (options.resume === undefined) {
    const { config, customModel } = await loadRun({ configFile: options.config, overrides, dataFlag: options.data });
    return { config, bundle: customModel, resume: false, openDirectory: () => createRunDirectory(options.runsDir, options.run) };
  }
  for (const flag of ['config', 'data', 'run'] as const) {
    if (options[flag] !== undefined) throw new LockstepError('usage', `--${flag} and --resume exclude each other: a resumed run keeps what it was begun with`);
  }
  const { config, bundle, directory } = await resumeRun(options.runsDir, options.resume, overrides);
  return { config, bundle, resume: true, openDirectory: () => Promise.resolve(directory) };
}

/** Live progress on a terminal, plain lines elsewhere, JSON for machines. */
export function createOutput(options: SharedOptions): RunEventSink {
  if (options.json === true) return createJsonLines(process.stdout);
  return process.stdout.isTTY ? createTerminalProgress(process.stdout) : createPlainLog(process.stdout);
}

/** Parses a count for commander. */
export function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError(`got "${text}", expected a whole number from 1`);
  return value;
}

/** Aborted by Ctrl-C or a polite kill; a second one ends the process at once. */
export function signalOfProcess(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => controller.abort(new LockstepError('aborted', `stopped by ${name}`)));
  }
  return controller.signal;
}
