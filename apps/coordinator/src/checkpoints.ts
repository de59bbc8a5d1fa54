import { LockstepError, messageOf, type CheckpointEvent, type ParameterLayout, type RunConfig } from '@lockstep/core';
import { listCheckpoints, newestCheckpoint, readCheckpoint, removeCheckpoints, writeCheckpoint, type BestEpoch, type RunDirectory } from '@lockstep/checkpoint';
import { nextWindow } from '@lockstep/reduction';
import { checkpointsToRemove, isCheckpointVersion, type RunPlan } from '@lockstep/scheduling';
import type { RunTotals } from './run-record.ts';
import type { TrainingState } from './shard-states.ts';

export interface CheckpointsOptions {
  readonly config: RunConfig;
  readonly directory: RunDirectory;
  readonly runId: string;
  readonly configSha256: string;
  readonly layout: ParameterLayout;
  readonly plan: RunPlan;
  readonly trainSamples: number;
  /** A checkpoint is whole on the disk. */
  readonly onWritten: (event: CheckpointEvent) => void;
  readonly onWarning: (message: string) => void;
}

/** How far ahead a version is asked for that is to be copied: what the shards make until they hear of it; doubled when no copy came: they were past it. */
const LEAD_SECONDS = 0.25;
const MIN_LEAD_STEPS = 2;
const MS_PER_MINUTE = 60_000;

/** The run's checkpoints: when one is due, writing it, and which are kept. */
export class Checkpoints {
  readonly #options: CheckpointsOptions;
  readonly #asked = new Set<number>();
  #best: BestEpoch | null = null;
  #lastMs = performance.now();
  #askedMs = -Infinity;
  #leadFactor = 1;
  #awaited: PromiseWithResolvers<number> | null = null;

  constructor(options: CheckpointsOptions) {
    this.#options = options;
  }

  /** The checkpoint of the best epoch is kept. */
  keep(best: BestEpoch | null): void {
    this.#best = best;
  }

  /** Which version to ask the shards for besides the planned ones, after so many steps at such a speed; null: none now. */
  toAsk(numSteps: number, stepsPerSecond: number, nowMs: number): number | null {
    const { config: { checkpoints: { everyMinutes }, wire }, plan: { stepsPerEpoch } } = this.#options;
    const isDue = this.#awaited !== null || (everyMinutes !== null && nowMs - this.#lastMs >= everyMinutes * MS_PER_MINUTE);
    const isToCome = [...this.#asked].some((version) => version > numSteps);
    if (!isDue || isToCome || nowMs - this.#askedMs < this.#options.config.failureDetectionMs / 2) return null;
    if (this.#asked.size > 0) this.#leadFactor *= 2;
    const version = nextWindow({ wire, stepsPerEpoch }, numSteps + this.#leadFactor * Math.max(MIN_LEAD_STEPS, Math.ceil(stepsPerSecond * LEAD_SECONDS)));
    this.#asked.add(version);
    this.#askedMs = nowMs;
    return version >= this.#options.plan.totalSteps ? null : version;
  }

  /** Resolves with the version of the next checkpoint that is written, planned or not. */
  next(): Promise<number> {
    this.#awaited ??= Promise.withResolvers();
    return this.#awaited.promise;
  }

  isWanted(version: number): boolean {
    const { plan, config } = this.#options;
    const endsEpoch = version % plan.stepsPerEpoch === 0;
    return this.#asked.has(version) || isCheckpointVersion(plan, config.checkpoints, version) || (endsEpoch && (config.keepBest || config.earlyStopping !== null));
  }

  /** Writes a checkpoint. One that cannot be written costs a warning: the last one is as it was, and training goes on. */
  async write({ version, parameters, slots }: TrainingState, parametersSha256: string, { trainSeconds }: RunTotals): Promise<void> {
    const { config, directory, runId, configSha256, layout, plan, trainSamples } = this.#options;
    const startMs = performance.now();
    const epoch = Math.floor(version / plan.stepsPerEpoch);
    const samplesIntoEpoch = Math.min(trainSamples, (version % plan.stepsPerEpoch) * config.globalBatchSize);
    try {
      const written = await writeCheckpoint(directory, {
        runId, configSha256, version, epoch, samplesIntoEpoch, seed: config.seed, layout, parameters, parametersSha256, slots,
        progress: { best: this.#best, trainSeconds, numExamples: epoch * trainSamples + samplesIntoEpoch },
      });
      this.#noteWritten(version);
      this.#options.onWritten({ event: 'checkpoint', version, directory: written.directory, seconds: (performance.now() - startMs) / 1000 });
      await this.#retain();
    } catch (error) {
      this.#options.onWarning(`no checkpoint of step ${version}: ${messageOf(error)}; training goes on, the last one is whole`);
    }
  }

  /** The newest whole one, or null; damaged ones are named and skipped. */
  newest(): ReturnType<typeof newestCheckpoint> {
    const { directory, layout, onWarning } = this.#options;
    return newestCheckpoint(directory, layout, { onSkipped: (error: LockstepError) => onWarning(`checkpoint skipped: ${error.message}`) });
  }

  /**
   * A run that goes on from the checkpoint of `version` and is to end with its best epoch can only where that epoch's is whole
   * too; one after `version` will be written again. @throws LockstepError `storage` naming the checkpoint.
   */
  async requireBest(best: BestEpoch | null, version: number): Promise<void> {
    const { config: { keepBest }, directory, layout } = this.#options;
    if (!keepBest || best === null || best.version >= version) return;
    await readCheckpoint(directory, best.version, layout).catch((cause: unknown) => {
      throw new LockstepError('storage', `the run is to end with the weights of its best epoch, of step ${best.version}: ${messageOf(cause)}`, { hint: 'put a copy of that checkpoint back: nothing else holds these weights', cause });
    });
  }

  /** The parameters of a version, or null where it has no whole checkpoint. */
  async parametersOf(version: number): Promise<Float32Array | null> {
    const { directory, layout } = this.#options;
    return readCheckpoint(directory, version, layout).then(({ parameters }) => parameters, () => null);
  }

  #noteWritten(version: number): void {
    this.#lastMs = performance.now();
    this.#leadFactor = 1;
    this.#askedMs = -Infinity;
    for (const asked of this.#asked) if (asked <= version) this.#asked.delete(asked);
    this.#awaited?.resolve(version);
    this.#awaited = null;
  }

  async #retain(): Promise<void> {
    const { config, directory } = this.#options;
    const versions = await listCheckpoints(directory);
    await removeCheckpoints(directory, checkpointsToRemove(versions, { keepLast: config.checkpoints.keepLast, best: config.keepBest ? this.#best?.version ?? null : null }));
  }
}
