import { LockstepError, messageOf, type RunConfig } from '@lockstep/core';
import type { ReceiptWriter } from '@lockstep/checkpoint';
import { wantsSnapshot, type FinishedStep, type SnapshotPlan } from '@lockstep/parameter-server';
import { endsEpoch, epochOfVersion, judgeEpoch, type BestEpoch, type RunPlan } from '@lockstep/scheduling';
import type { RunEventSink } from '@lockstep/telemetry';
import type { RunDataset } from './dataset.ts';
import type { EvaluationRounds } from './evaluation-round.ts';
import { RunRecord, type EpochSummary, type RunTotals } from './run-record.ts';
import type { WorkerRegistry } from './worker-registry.ts';

export interface TrainingOptions {
  readonly config: RunConfig;
  readonly plan: RunPlan;
  readonly dataset: RunDataset;
  readonly registry: WorkerRegistry;
  readonly rounds: EvaluationRounds;
  readonly receipts: ReceiptWriter;
  readonly sink: RunEventSink;
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
 * step, hears of finished ones, and at the end of an epoch looks at a copy of the parameters.
 */
export class Training {
  readonly snapshots: SnapshotPlan;
  readonly #options: TrainingOptions;
  readonly #record: RunRecord;
  readonly #ended = Promise.withResolvers<TrainingOutcome>();
  /** Ends of epochs are handled one after another. */
  #epochEnds: Promise<void> = Promise.resolve();
  #best: BestEpoch | null = null;
  #bestSnapshot: Snapshot | null = null;

  constructor(options: TrainingOptions) {
    const { config, plan } = options;
    this.#options = options;
    this.snapshots = {
      everyVersions: [plan.stepsPerEpoch, ...(config.receiptHashEverySteps > 0 ? [config.receiptHashEverySteps] : [])],
      lastVersion: plan.totalSteps,
    };
    this.#record = new RunRecord(plan, options.receipts, (version) => wantsSnapshot(this.snapshots, version));
    this.#ended.promise.catch(() => undefined);
  }

  /** Resolves when the run has made its last step, or has stopped early. */
  run(): Promise<TrainingOutcome> {
    this.#record.start();
    this.#letWorkersGo(0);
    return this.#ended.promise;
  }

  finishStep(finished: FinishedStep, atMs: number): void {
    this.#options.sink.write(this.#record.finishStep(finished, atMs));
  }

  takeSnapshot(version: number, parameters: Float32Array): void {
    const parametersSha256 = this.#record.hashVersion(version, parameters);
    if (!endsEpoch(this.#options.plan, version)) return;
    const summary = this.#record.finishEpoch();
    const snapshot = { version, parameters, parametersSha256 };
    this.#epochEnds = this.#epochEnds.then(() => this.#endEpoch(snapshot, summary)).catch((error: unknown) => {
      this.#options.onFailure(error instanceof LockstepError ? error : new LockstepError('protocol', messageOf(error), { cause: error }));
    });
  }

  /** With early stopping the workers wait at the end of each epoch for the word to go on. */
  #letWorkersGo(fromStep: number): void {
    const { config, plan, registry } = this.#options;
    const untilStep = config.earlyStopping === null ? plan.totalSteps : Math.min(plan.totalSteps, fromStep + plan.stepsPerEpoch);
    registry.assign(fromStep, untilStep, config.microBatches);
  }

  async #endEpoch(snapshot: Snapshot, summary: EpochSummary): Promise<void> {
    const { config, plan, sink } = this.#options;
    const { version, parametersSha256 } = snapshot;
    const epoch = epochOfVersion(plan, version);
    const validation = await this.#validate(snapshot);
    sink.write({ event: 'epoch', epoch, step: version - 1, ...summary, validation, parametersSha256 });
    const stop = validation === null ? null : this.#judge(snapshot, epoch, validation.loss);
    if (stop !== null || version === plan.totalSteps) this.#end(snapshot, stop);
    else if (config.earlyStopping !== null) this.#letWorkersGo(version);
  }

  async #validate({ parameters }: Snapshot): Promise<{ readonly loss: number; readonly accuracy: number } | null> {
    const { splits } = this.#options.dataset;
    const { numExamples } = splits.validation;
    if (numExamples === 0) return null;
    const request = { split: 'validation' as const, numExamples, numClasses: splits.classNames.length, parameters };
    const { lossSum, numCorrect } = await this.#options.rounds.evaluate(request, this.#options.registry.ranks);
    return { loss: lossSum / numExamples, accuracy: numCorrect / numExamples };
  }

  /** Keeps the best epoch; says why to stop, or null. */
  #judge(snapshot: Snapshot, epoch: number, validationLoss: number): string | null {
    const verdict = judgeEpoch(this.#best, epoch, validationLoss, this.#options.config.earlyStopping);
    this.#best = verdict.best;
    if (verdict.kind === 'improved') this.#bestSnapshot = snapshot;
    return verdict.kind === 'stop' ? verdict.reason : null;
  }

  #end(last: Snapshot, stoppedEarly: string | null): void {
    const { config, plan } = this.#options;
    const kept = config.keepBest ? this.#bestSnapshot ?? last : last;
    const epochs = epochOfVersion(plan, last.version) + 1;
    this.#ended.resolve({ ...kept, totals: this.#record.totals, epochs, stoppedEarly });
  }
}
