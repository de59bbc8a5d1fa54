import { bytesOf, LockstepError, messageOf, sha256, type RunConfig } from '@lockstep/core';
import type { BestEpoch, EntryOf, ReceiptWriter } from '@lockstep/checkpoint';
import { endsEpoch, epochOfVersion, judgeEpoch, type RunPlan } from '@lockstep/scheduling';
import type { RunEventSink } from '@lockstep/telemetry';
import type { FinishedStep } from '@lockstep/transport';
import type { Checkpoints } from './checkpoints.ts';
import type { RunDataset } from './dataset.ts';
import { epochEventOf } from './epoch-event.ts';
import type { EvaluationRounds } from './evaluation-round.ts';
import type { EpochSummary, RunRecord, RunTotals } from './run-record.ts';
import type { TrainingState } from './shard-states.ts';

export interface TrainingOptions {
  readonly config: RunConfig;
  readonly plan: RunPlan;
  readonly dataset: RunDataset;
  readonly record: RunRecord;
  readonly receipts: Pick<ReceiptWriter, 'sync'>;
  readonly checkpoints: Checkpoints;
  readonly rounds: EvaluationRounds;
  readonly sink: RunEventSink;
  /** Epochs that were judged before this process began. */
  readonly epochs: readonly EntryOf<'epoch'>[];
  /** An epoch is over, evaluated and judged; resolves when that is recorded for good. */
  readonly onEpoch: (entry: EntryOf<'epoch'>) => Promise<void>;
  /** The workers may go on up to this step. */
  readonly letGo: (untilStep: number) => void;
  readonly snapshotAt: (version: number) => void;
  readonly acknowledge: (stepsBefore: number, snapshotsBefore: number) => void;
  readonly onFailure: (error: LockstepError) => void;
}

/** What training leaves: the parameters that the run ends with. */
export interface TrainingOutcome {
  readonly parameters: Float32Array;
  readonly parametersSha256: string;
  readonly version: number;
  readonly totals: RunTotals;
  readonly epochs: number;
  /** Why it ended before its last step, or null. */
  readonly stoppedEarly: string | null;
}

interface Snapshot {
  readonly version: number;
  readonly parameters: Float32Array;
  readonly parametersSha256: string;
}

/**
 * The run's training as the coordinator sees it. It is not in the way of a step: it lets the workers go on up to a
 * step, hears of finished ones, and at some versions looks at a copy of the parameters. Steps and copies may come again,
 * after a return to a checkpoint; each counts once.
 */
export class Training {
  readonly #options: TrainingOptions;
  readonly #ended = Promise.withResolvers<TrainingOutcome>();
  /** Copies are handled one after another, in the order of their versions. */
  #handling: Promise<void> = Promise.resolve();
  /** Epochs before this one are judged. */
  #nextEpoch: number;
  #best: BestEpoch | null;
  #bestSnapshot: Snapshot | null = null;
  /** The verdict on the last epoch, where the process before this one came so far: only the run's end is to be made. */
  readonly #lastVerdict: EntryOf<'epoch'> | null;

  constructor(options: TrainingOptions) {
    const last = options.epochs.at(-1);
    this.#options = options;
    this.#lastVerdict = last !== undefined && (last.stop !== null || last.version === options.plan.totalSteps) ? last : null;
    this.#nextEpoch = options.epochs.length;
    this.#best = last?.best ?? null;
    this.#ended.promise.catch(() => undefined);
    options.checkpoints.keep(this.#best);
  }

  /** Resolves when the run has made its last step, or has stopped early. */
  async run(): Promise<TrainingOutcome> {
    if (this.#lastVerdict !== null) return this.#endOfBefore(this.#lastVerdict);
    await this.#judgeBefore();
    this.#letWorkersGo();
    return this.#ended.promise;
  }

  finishStep(finished: FinishedStep): void {
    const { record, sink, checkpoints, snapshotAt } = this.#options;
    const event = record.finishStep(finished);
    if (event === null) return;
    sink.write(event);
    const asked = checkpoints.toAsk(record.numSteps, event.examplesPerSecond / event.numExamples, performance.now());
    if (asked !== null) snapshotAt(asked);
  }

  takeSnapshot(state: TrainingState): void {
    this.#handling = this.#handling.then(() => this.#handle(state)).catch((error: unknown) => this.#fail(error));
  }

  /** Whatever is being written is written. */
  settled(): Promise<void> {
    return this.#handling;
  }

  /**
   * Receipts first: a checkpoint without those of its steps could not be gone on from. What is acknowledged the shards
   * forget, so only what is on the disk is.
   */
  async #handle(state: TrainingState): Promise<void> {
    const { plan, record, receipts, checkpoints, acknowledge } = this.#options;
    const { version, parameters } = state;
    const snapshot: Snapshot = { version, parameters, parametersSha256: sha256(bytesOf(parameters)) };
    record.noteHash(version, snapshot.parametersSha256);
    const { numWritten } = record;
    await receipts.sync();
    if (checkpoints.isWanted(version)) await checkpoints.write(state, snapshot.parametersSha256, record.totals);
    if (endsEpoch(plan, version) && epochOfVersion(plan, version) === this.#nextEpoch) await this.#endEpoch(snapshot);
    else if (version === this.#lastVerdict?.version) this.#ended.resolve(await this.#outcome(snapshot, this.#lastVerdict.stop));
    acknowledge(numWritten, version + 1);
  }

  #fail(error: unknown): void {
    this.#options.onFailure(error instanceof LockstepError ? error : new LockstepError('protocol', messageOf(error), { cause: error }));
  }

  /** With early stopping the workers wait at the end of each epoch for the word to go on. */
  #letWorkersGo(): void {
    const { config, plan, letGo } = this.#options;
    letGo(config.earlyStopping === null ? plan.totalSteps : Math.min(plan.totalSteps, (this.#nextEpoch + 1) * plan.stepsPerEpoch));
  }

  async #endEpoch(snapshot: Snapshot): Promise<void> {
    const { config, plan, record, sink, onEpoch } = this.#options;
    const { version, parametersSha256 } = snapshot;
    const epoch = this.#nextEpoch;
    const summary: EpochSummary = record.finishEpoch(epoch);
    const validation = await this.#validate(snapshot);
    const stop = validation === null ? null : this.#judge(snapshot, epoch, validation.loss);
    this.#nextEpoch += 1;
    const entry: EntryOf<'epoch'> = { kind: 'epoch', epoch, version, ...summary, validation, parametersSha256, best: this.#best, stop };
    await onEpoch(entry);
    sink.write(epochEventOf(entry));
    if (stop !== null || version === plan.totalSteps) this.#ended.resolve(await this.#outcome(snapshot, stop));
    else if (config.earlyStopping !== null) this.#letWorkersGo();
  }

  async #validate({ parameters }: Snapshot): Promise<{ readonly loss: number; readonly accuracy: number } | null> {
    const { dataset: { sizes, classNames }, rounds } = this.#options;
    if (sizes.validation.numSamples === 0) return null;
    const { lossSum, numCorrect, numExamples } = await rounds.evaluate({ split: 'validation', size: sizes.validation, numClasses: classNames.length, parameters });
    return { loss: lossSum / numExamples, accuracy: numCorrect / numExamples };
  }

  /** Keeps the best epoch; says why to stop, or null. */
  #judge(snapshot: Snapshot, epoch: number, validationLoss: number): string | null {
    const verdict = judgeEpoch(this.#best, epoch, validationLoss, this.#options.config.earlyStopping);
    if (verdict.kind === 'improved') {
      this.#best = { ...verdict.best, version: snapshot.version };
      this.#bestSnapshot = snapshot;
      this.#options.checkpoints.keep(this.#best);
    }
    return verdict.kind === 'stop' ? verdict.reason : null;
  }

  /** From the last step's checkpoint, or where that is damaged from the steps that are made again up to it. */
  async #endOfBefore({ version, parametersSha256, stop }: EntryOf<'epoch'>): Promise<TrainingOutcome> {
    const { checkpoints, letGo } = this.#options;
    const parameters = await checkpoints.parametersOf(version);
    if (parameters !== null) return this.#outcome({ version, parameters, parametersSha256 }, stop);
    letGo(version);
    return this.#ended.promise;
  }

  /** The process before this one may have ended between the checkpoint of an epoch's end and its verdict: nobody sends that copy again. */
  async #judgeBefore(): Promise<void> {
    const { plan, checkpoints } = this.#options;
    const version = Math.min((this.#nextEpoch + 1) * plan.stepsPerEpoch, plan.totalSteps);
    const parameters = await checkpoints.parametersOf(version);
    if (parameters === null) return;
    this.#handling = this.#handling.then(async () => {
      if (epochOfVersion(plan, version) === this.#nextEpoch) await this.#endEpoch({ version, parameters, parametersSha256: sha256(bytesOf(parameters)) });
    }).catch((error: unknown) => this.#fail(error));
  }

  async #outcome(last: Snapshot, stoppedEarly: string | null): Promise<TrainingOutcome> {
    const { config, plan, record } = this.#options;
    const kept = config.keepBest ? await this.#bestOr(last) : last;
    return { ...kept, totals: record.totals, epochs: epochOfVersion(plan, last.version) + 1, stoppedEarly };
  }

  /** The best epoch's parameters may be in its checkpoint alone. */
  async #bestOr(last: Snapshot): Promise<Snapshot> {
    if (this.#best === null || this.#best.version === last.version) return last;
    if (this.#bestSnapshot !== null) return this.#bestSnapshot;
    const { version } = this.#best;
    const parameters = await this.#options.checkpoints.parametersOf(version);
    if (parameters === null) throw new LockstepError('storage', `the checkpoint of the best epoch, of step ${version}, is gone or damaged`);
    return { version, parameters, parametersSha256: sha256(bytesOf(parameters)) };
  }
}
