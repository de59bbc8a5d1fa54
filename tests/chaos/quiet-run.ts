import { join } from 'node:path';
import type { EndEvent, EpochEvent } from '@lockstep/core';
import { lockstepEvents } from '../support/processes.ts';

const CONFIG = join(import.meta.dirname, 'run.config.ts');

/** What every run must come to. */
export interface QuietRun {
  readonly directory: string;
  readonly end: EndEvent;
  readonly epochs: readonly EpochEvent[];
  readonly stepsPerEpoch: number;
  readonly globalBatchSize: number;
  readonly trainSamples: number;
}

/** The run with one worker and no fault. */
export async function runQuietly(runsDirectory: string, epochs: number, flags: readonly string[]): Promise<QuietRun> {
  const { exitCode, stderr, events } = await lockstepEvents('train', '--config', CONFIG, '--runs-dir', runsDirectory, '--run', 'quiet', '--workers', '1', '--epochs', String(epochs), ...flags);
  const end = events.find((event) => event.event === 'end');
  const start = events.find((event) => event.event === 'start');
  if (exitCode !== 0 || end === undefined || start === undefined) throw new Error(`the quiet run ended with ${exitCode}: ${stderr}`);
  const { stepsPerEpoch, globalBatchSize, trainSamples } = start;
  return { directory: end.directory, end, epochs: events.filter((event) => event.event === 'epoch'), stepsPerEpoch, globalBatchSize, trainSamples };
}
