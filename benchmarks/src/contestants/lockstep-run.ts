import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { medianOf, type RunEvent, type StepEvent } from '@lockstep/core';
import type { Measurement } from '../measurement.ts';
import { runProcess } from '../process.ts';
import { BATCH, WARM_UP, type Workload } from '../workload.ts';

const CLI = fileURLToPath(new URL('../../../apps/cli/src/main.ts', import.meta.url));

export interface LockstepRunOptions {
  readonly workload: Workload;
  readonly workers: number;
  /** Of `BATCH` samples each. */
  readonly microBatches: number;
  /** Of `lockstep train`, besides. */
  readonly flags: readonly string[];
  readonly runsDirectory: string;
  readonly signal: AbortSignal;
  /** What to make of the steps after the warm-up. */
  readonly measure?: (steps: readonly StepEvent[]) => Measurement;
}

/** `lockstep train` as a user starts it, from its own step events after the warm-up. */
export async function runLockstep({ workload, workers, microBatches, flags, runsDirectory, signal, measure = measureSteps }: LockstepRunOptions): Promise<Measurement> {
  const run = join(runsDirectory, 'run');
  await runProcess(process.execPath, [
    CLI, 'train', '--json', '--runs-dir', runsDirectory, '--run', 'run',
    '--model', workload.model, '--workers', String(workers),
    '--global-batch-size', String(BATCH * microBatches), '--micro-batches', String(microBatches),
    '--max-steps', String(workload.steps), '--epochs', '1000', ...flags,
  ], { signal });
  const steps = await readSteps(join(run, 'metrics.jsonl'));
  await rm(run, { recursive: true });
  return measure(steps.slice(Math.floor(steps.length * WARM_UP)));
}

/** The first of `steps` only says when the second began. */
export function measureSteps(steps: readonly StepEvent[]): Measurement {
  const [first, ...timed] = steps;
  const last = timed.at(-1);
  if (first === undefined || last === undefined) throw new Error(`${steps.length} steps are too few to be timed`);
  const numExamples = timed.reduce((sum, step) => sum + step.numExamples, 0);
  const stepMs = timed.map((step, index) => 1000 * (step.elapsedSeconds - steps[index]!.elapsedSeconds));
  const outsideMs = timed.map((step, index) => stepMs[index]! - Math.max(...step.workers.map(({ computeMs }) => computeMs)));
  return {
    examplesPerSecond: numExamples / (last.elapsedSeconds - first.elapsedSeconds),
    steps: { stepMs: medianOf(stepMs), outsideMs: medianOf(outsideMs) },
  };
}

export async function readSteps(path: string): Promise<readonly StepEvent[]> {
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as RunEvent).filter((event) => event.event === 'step');
}
