import { LockstepError, messageOf } from '@lockstep/core';
import { Command } from 'commander';
import { planSweep, requireSamePlan } from '../sweep/plan-sweep.ts';
import { renderResults, resultsObject } from '../sweep/render-results.ts';
import { writeResultsPage } from '../sweep/results-page.ts';
import { createSweep, openSweep, type Sweep } from '../sweep/sweep-directory.ts';
import { addSweepOptions, RESUME_OPTIONS, type SweepOptions } from '../sweep/sweep-options.ts';
import { rungsOf, trialFlags, type SweepPlan } from '../sweep/sweep-plan.ts';
import { SweepProgress } from '../sweep/sweep-progress.ts';
import { SweepRunner } from '../sweep/sweep-runner.ts';
import { checkTrial } from '../sweep/trial-config.ts';
import type { TrialResult } from '../sweep/trial-result.ts';
import { usableGpus } from '../train/gpus.ts';
import { signalOfProcess } from '../train/run-options.ts';

export function sweepCommand(): Command {
  const command = new Command('sweep')
    .description('Train a model with many settings, each as a run of its own on this machine, and compare what comes of them.');
  return addSweepOptions(command).action((options: SweepOptions) => sweep(command, options));
}

async function sweep(command: Command, options: SweepOptions): Promise<void> {
  const plan = options.resume === undefined ? await planSweep(command, options) : await planOf(command, options, options.resume);
  const gpus = await gpusOf(plan);
  const opened = options.resume === undefined ? await createSweep(options.runsDir, options.name, plan) : await openSweep(options.runsDir, options.resume);
  const results = await runTrials(opened, gpus, options);
  await writeResultsPage(opened, results);
  console.log(options.json ? JSON.stringify(resultsObject(opened, results)) : `\n${renderResults(opened, results)}\nPlots: ${opened.directory.file('sweep.html')}`);
  if (results.every(({ score }) => score === null)) process.exitCode = 1;
}

/** The plan of a sweep that goes on. */
async function planOf(command: Command, { runsDir }: SweepOptions, name: string): Promise<SweepPlan> {
  const changed = command.options.find((option) => command.getOptionValueSource(option.attributeName()) === 'cli' && !RESUME_OPTIONS.includes(option.attributeName()));
  if (changed !== undefined) throw new LockstepError('usage', `${changed.long} and --resume exclude each other: a sweep that goes on keeps what it was begun with`);
  const { plan } = await openSweep(runsDir, name);
  await requireSamePlan(plan, name);
  return plan;
}

async function runTrials(opened: Sweep, gpus: readonly string[], { workers, parallel, sharedMemory, json }: SweepOptions): Promise<readonly TrialResult[]> {
  const signal = signalOfProcess();
  const progress = new SweepProgress(opened.plan, json ? null : process.stdout);
  try {
    return await new SweepRunner({ sweep: opened, workers, parallel, sharedMemory, gpus, progress, signal }).run();
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new LockstepError('aborted', messageOf(signal.reason), { hint: `go on with: lockstep sweep --resume ${opened.directory.name}`, cause: error });
  } finally {
    progress.close();
  }
}

/** Of the engine of the first trial. @throws LockstepError `prerequisite` where this machine has no such engine. */
async function gpusOf(plan: SweepPlan): Promise<readonly string[]> {
  const first = await checkTrial(trialFlags(plan, plan.trials[0]!.fields, rungsOf(plan).at(-1) ?? null));
  return first.kind === 'sound' ? usableGpus(first.config.numerics.engine) : [];
}
