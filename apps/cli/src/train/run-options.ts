import { LockstepError } from '@lockstep/core';
import { InvalidArgumentError, type Command } from 'commander';
import { createJsonLines, createPlainLog, createTerminalProgress, type RunEventSink } from '@lockstep/telemetry';
import { addConfigFlags, loadRun, readConfigFlags, type FieldOverride, type LoadedRun } from '../config/index.ts';

/** What `train` and `coordinator` have in common besides the config's own fields. */
export interface SharedOptions {
  readonly config?: string;
  readonly data?: string;
  readonly run?: string;
  readonly runsDir: string;
  readonly sharedMemory: boolean;
  readonly json?: true;
}

export function addRunOptions(command: Command): Command {
  return addConfigFlags(command
    .option('--config <file>', 'TypeScript config file')
    .option('--data <source>', 'mnist | idx:DIR | csv:TRAIN[,TEST] | images:DIR')
    .option('--run <name>', 'name of the run (default: date and time)')
    .option('--runs-dir <dir>', 'where runs are kept', 'runs')
    .option('--no-shared-memory', 'send all tensors over gRPC')
    .option('--json', 'print one JSON object a line'));
}

export function loadConfiguredRun(command: Command, options: SharedOptions): Promise<LoadedRun> {
  const overrides: readonly FieldOverride[] = readConfigFlags(command);
  return loadRun({ configFile: options.config, overrides, dataFlag: options.data });
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
