import { rm } from 'node:fs/promises';
import { promote } from '@lockstep/search';
import { goalOf } from './metric.ts';
import { savePlan, type Sweep } from './sweep-directory.ts';
import { rungsOf, runNameOf, trialFlags, type SweepPlan } from './sweep-plan.ts';
import type { SweepProgress } from './sweep-progress.ts';
import { gpusOfPlace } from './trial-gpus.ts';
import { runTrialProcess } from './trial-process.ts';
import { hasBudget, pauseOf, resultOf, type TrialResult } from './trial-result.ts';
import { readTrialState, type TrialState } from './trial-state.ts';

export interface SweepRunnerOptions {
  readonly sweep: Sweep;
  /** Of each trial; undefined: as many as `lockstep train` would start. */
  readonly workers: number | undefined;
  /** Trials at once. */
  readonly parallel: number;
  readonly sharedMemory: boolean;
  /** Of this machine, as `CUDA_VISIBLE_DEVICES` names them. */
  readonly gpus: readonly string[];
  readonly progress: SweepProgress;
  /** Aborted: the trials end in order, each with a checkpoint. */
  readonly signal: AbortSignal;
}

/**
 * Trains a sweep's trials, rung by rung. Where each one is its run's own files say, so that this begins a sweep and goes on
 * with one alike: what has had its budget is passed by, what was interrupted is resumed, and the same trials are promoted.
 */
export class SweepRunner {
  readonly #options: SweepRunnerOptions;
  #plan: SweepPlan;
  #saving: Promise<void> = Promise.resolve();
  /** Ends the other trials when one cannot be dealt with. */
  readonly #failure = new AbortController();
  readonly #signal: AbortSignal;

  constructor(options: SweepRunnerOptions) {
    this.#options = options;
    this.#plan = options.sweep.plan;
    this.#signal = AbortSignal.any([options.signal, this.#failure.signal]);
  }

  /** The result of each trial with the greatest budget that it got. @throws the signal's reason where it is aborted, once the trials have ended. */
  async run(): Promise<readonly TrialResult[]> {
    const results = new Map<number, TrialResult>();
    let contenders: readonly number[] = this.#plan.trials.map((_, trial) => trial);
    for (const budget of rungsOf(this.#plan)) {
      const rung = await this.#trainAll(contenders, budget);
      for (const result of rung) results.set(result.trial, result);
      contenders = promote(rung, goalOf(this.#plan.metric), this.#plan.halving?.factor ?? 1);
    }
    return [...results.values()];
  }

  /** In trial order, `parallel` at a time. */
  async #trainAll(trials: readonly number[], budget: number | null): Promise<readonly TrialResult[]> {
    const waiting = trials.values();
    const results: TrialResult[] = [];
    const places = await Promise.allSettled(Array.from({ length: this.#options.parallel }, async (_, place) => {
      for (const trial of waiting) results.push(await this.#settle(trial, budget, place).catch((error: unknown) => this.#fail(error)));
    }));
    if (places.some(({ status }) => status === 'rejected')) throw this.#signal.reason;
    return results.toSorted((a, b) => a.trial - b.trial);
  }

  #fail(error: unknown): never {
    this.#failure.abort(error);
    throw error;
  }

  async #settle(trial: number, budget: number | null, place: number): Promise<TrialResult> {
    const { progress, sweep } = this.#options;
    this.#signal.throwIfAborted();
    const run = runNameOf(this.#plan, trial, budget);
    const before = await readTrialState(sweep.directory.path, run);
    const isSettled = run in this.#plan.failures || hasBudget(this.#plan, budget, before);
    if (isSettled) return progress.found(resultOf(this.#plan, trial, budget, before));
    progress.begin(trial, budget, this.#plan.trials[trial]!.fields);
    const after = await this.#train(trial, budget, place, before);
    return progress.settled(resultOf(this.#plan, trial, budget, after));
  }

  /** From where the run is until it has its budget; what stops it before is noted as its failure. */
  async #train(trial: number, budget: number | null, place: number, before: TrialState): Promise<TrialState> {
    const { sweep: { directory }, gpus, parallel, progress } = this.#options;
    const run = runNameOf(this.#plan, trial, budget);
    if (before.kind === 'new') await rm(directory.file(run), { recursive: true, force: true });
    const pause = new AbortController();
    const pausesAfter = pauseOf(this.#plan, budget) ?? Infinity;
    const end = await runTrialProcess({
      args: [...this.#commandOf(trial, budget, before), ...this.#clusterFlags()],
      environment: gpus.length === 0 ? {} : { CUDA_VISIBLE_DEVICES: gpusOfPlace(gpus, place, parallel).join() },
      signal: AbortSignal.any([this.#signal, pause.signal]),
      onEvent: (event) => {
        progress.event(trial, event);
        if (event.event === 'epoch' && event.epoch + 1 >= pausesAfter) pause.abort();
      },
    });
    this.#signal.throwIfAborted();
    const after = await readTrialState(directory.path, run);
    if (!hasBudget(this.#plan, budget, after)) await this.#noteFailure(run, end.reason);
    return after;
  }

  #commandOf(trial: number, budget: number | null, { kind }: TrialState): string[] {
    const run = runNameOf(this.#plan, trial, budget);
    return kind === 'new' ? ['train', ...trialFlags(this.#plan, this.#plan.trials[trial]!.fields, budget), '--run', run] : ['train', '--resume', run];
  }

  #clusterFlags(): string[] {
    const { sweep, workers, sharedMemory } = this.#options;
    return ['--runs-dir', sweep.directory.path, '--json', ...(workers === undefined ? [] : ['--workers', String(workers)]), ...(sharedMemory ? [] : ['--no-shared-memory'])];
  }

  /** One write after another: they all replace one file. */
  #noteFailure(run: string, reason: string): Promise<void> {
    this.#plan = { ...this.#plan, failures: { ...this.#plan.failures, [run]: reason } };
    this.#saving = this.#saving.then(() => savePlan({ directory: this.#options.sweep.directory, plan: this.#plan }));
    return this.#saving;
  }
}
