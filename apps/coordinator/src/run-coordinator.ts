import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { layOutParameters, layOutWholeModel, rateRanges, LockstepError, messageOf, onceThereIsRoom, type EndEvent, type ParameterLayout, type RunEvent } from '@lockstep/core';
import { openReceiptWriter, type EntryOf, type ReceiptWriter, type RunDirectory } from '@lockstep/checkpoint';
import { stepsPerEpoch } from '@lockstep/data';
import type { RunEvaluation } from '@lockstep/evaluation';
import { wantsSnapshot, type ShardPlan } from '@lockstep/parameter-server';
import { planRun, type RunPlan } from '@lockstep/scheduling';
import { createMetricsFile, createRunHistory, createTensorBoard, fanOut, reopenMetricsFile, type RunEventSink } from '@lockstep/telemetry';
import { createProcessDirectory, requireLocalOrInsecure } from '@lockstep/transport';
import { Checkpoints } from './checkpoints.ts';
import { Cluster } from './cluster.ts';
import type { CoordinatorOptions } from './coordinator-options.ts';
import { prepareDataset, type RunDataset } from './dataset.ts';
import { epochEventOf } from './epoch-event.ts';
import { openRun, type OpenRun } from './known-run.ts';
import type { BuiltModel } from './model-agreement.ts';
import { PatientJournal } from './patient-journal.ts';
import { RunRecord } from './run-record.ts';
import { evaluationOf, saveModel, saveReport } from './save-run.ts';
import { Training, type TrainingOutcome } from './training.ts';

export interface RunResult {
  readonly end: EndEvent;
  readonly evaluation: RunEvaluation;
}

/**
 * A run from its data, or from its last checkpoint, to its report.
 * @throws LockstepError when the data or config is wrong, the workers cannot compute it, or the run is aborted.
 */
export async function runCoordinator(options: CoordinatorOptions): Promise<RunResult> {
  requireLocalOrInsecure(options.listen, options.insecure);
  const open = openRun(options.directory, options.config, options.resume);
  const scratch = createProcessDirectory(tmpdir());
  const run = new Run(options, open, scratch);
  try {
    if (open.isResumed) await run.recall();
    const result = await run.untilFailure(run.execute());
    await run.close(null);
    return result;
  } catch (error) {
    const failure = await run.explainEnd(error);
    await run.close(failure);
    // Before the first step there is nothing in the directory that anyone could want.
    if (!run.hasStarted && !open.isResumed) await rm(options.directory.path, { recursive: true, force: true });
    throw failure;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** How long an interrupted run may take for its last checkpoint, in failure-detection times. */
const LAST_CHECKPOINT_FACTOR = 5;

/** How long what must be recorded may wait for room on the disk, in failure-detection times: as long as the others wait for a coordinator. */
const PATIENCE_FACTOR = 300;

/** One run's state on the coordinator. `execute` reads from top to bottom as what happens. */
class Run {
  readonly #options: CoordinatorOptions;
  readonly #open: OpenRun;
  readonly #journal: PatientJournal;
  readonly #scratch: string;
  readonly #cluster: Cluster;
  readonly #history = createRunHistory();
  readonly #sink: RunEventSink;
  readonly #failure = Promise.withResolvers<never>();
  readonly #closing = new AbortController();
  #receipts: ReceiptWriter | null = null;
  #checkpoints: Checkpoints | null = null;
  #training: Training | null = null;
  #nextStep: () => number = () => 0;
  #startClock: () => void = () => undefined;
  #hasStarted = false;
  #untold: readonly EntryOf<'epoch'>[] = [];

  constructor(options: CoordinatorOptions, open: OpenRun, scratch: string) {
    this.#options = options;
    this.#open = open;
    this.#scratch = scratch;
    const { config, directory, signal } = options;
    this.#journal = new PatientJournal(open.journal, {
      patienceMs: PATIENCE_FACTOR * config.failureDetectionMs,
      onWarning: (message) => this.#log(message, 'warn'),
      onFailure: (error) => this.#failure.reject(error),
    });
    this.#failure.promise.catch(() => undefined);
    signal.addEventListener('abort', () => this.#failure.reject(signal.reason), { once: true });
    this.#sink = fanOut([options.sink, createMetricsFile(directory.file('metrics.jsonl')), createTensorBoard(directory.path), this.#history]);
    this.#cluster = new Cluster({
      ...options, open, scratch, journal: this.#journal,
      restore: async () => this.#checkpoints?.newest() ?? null,
      nextStep: () => this.#nextStep(),
      onFinished: (finished) => this.#training?.finishStep(finished),
      onSnapshot: (snapshot) => this.#training?.takeSnapshot(snapshot),
      onEvent: (event) => this.#sink.write(event),
      onFailure: (error) => this.#failure.reject(toLockstepError(error)),
    });
  }

  get hasStarted(): boolean {
    return this.#hasStarted;
  }

  async execute(): Promise<RunResult> {
    const { config, directory, bundle } = this.#options;
    await this.#save(directory);
    const preparing = prepareDataset(config, this.#scratch, this.#cluster.shelf, { signal: this.#closing.signal, onProgress: (message) => this.#log(message) });
    preparing.catch(() => undefined);
    await this.#listen();
    const dataset = await preparing;
    this.#journalRun(dataset);
    this.#cluster.workers.open({ config, bundle, dataset: dataset.block });
    const model = this.#open.state.model ?? await this.#agreeOnModel();
    const plan = planRun({ stepsPerEpoch: stepsPerEpoch(dataset.numTraining, config.globalBatchSize), epochs: config.epochs, maxSteps: config.maxSteps });
    const layout = layOutParameters(model.specs);
    const training = await this.#prepareTraining(dataset, plan, layout, model);
    await this.#cluster.gather();
    this.#startClock();
    await this.#cluster.fleet.start({ plan: this.#shardPlan(layout, plan), layout });
    this.#hasStarted = true;
    const outcome = await training.run();
    return this.#finish(dataset, model, outcome);
  }

  /** What the earlier processes of this run told, for its report; and which epochs they had judged and did not come to tell of. */
  async recall(): Promise<void> {
    const told = new Set<number>();
    await reopenMetricsFile(this.#options.directory.file('metrics.jsonl'), (event) => {
      if (event.event === 'step' || event.event === 'epoch') this.#history.write(event);
      if (event.event === 'epoch') told.add(event.epoch);
    });
    this.#untold = this.#open.state.epochs.filter(({ epoch }) => !told.has(epoch));
  }

  /** Settles as `work` does, or rejects as soon as the run has failed. */
  untilFailure<T>(work: Promise<T>): Promise<T> {
    work.catch(() => undefined);
    return Promise.race([work, this.#failure.promise]);
  }

  /** What ended the run; an interrupted one takes a last checkpoint before, so that nothing is lost. */
  async explainEnd(error: unknown): Promise<LockstepError> {
    const { signal, directory } = this.#options;
    const reason = toLockstepError(signal.aborted ? signal.reason : error);
    if (!signal.aborted || reason.code !== 'aborted' || !(this.#hasStarted || this.#open.isResumed)) return this.#withStall(reason);
    const version = await this.#lastCheckpoint();
    const interrupted = new LockstepError('aborted', `${reason.message}${version === null ? '' : `, with a checkpoint of step ${version}`}`, { hint: `go on with: lockstep train --resume ${directory.name}` });
    return version === null ? this.#withStall(interrupted) : interrupted;
  }

  /** The version of one more checkpoint, or null where nobody makes the steps up to it. */
  async #lastCheckpoint(): Promise<number | null> {
    const { dispatcher, workers } = this.#cluster;
    if (this.#checkpoints === null || !dispatcher.isBusy || workers.ranks.length === 0) return null;
    return Promise.race([this.#checkpoints.next(), later(LAST_CHECKPOINT_FACTOR * this.#options.config.failureDetectionMs)]);
  }

  /** What a run waited for when it ended is part of why it ended. */
  #withStall(error: LockstepError): LockstepError {
    const { explanation } = this.#cluster.dispatcher;
    return explanation === '' ? error : new LockstepError(error.code, `${error.message}; ${explanation}`, { ...(error.hint === undefined ? {} : { hint: error.hint }), cause: error });
  }

  async close(error: LockstepError | null): Promise<void> {
    this.#closing.abort(error);
    await this.#cluster.close(error);
    await Promise.race([this.#training?.settled(), later(this.#options.config.failureDetectionMs)]);
    await Promise.all([this.#sink.close(), this.#receipts?.close()]).finally(() => this.#journal.close());
  }

  /** What a resumed run needs that its flags and files may not say again. */
  async #save(directory: RunDirectory): Promise<void> {
    const { config, bundle } = this.#options;
    await directory.writeAtomically('config.json', JSON.stringify(config, null, 2));
    if (bundle !== null) await directory.writeAtomically('model-function.json', JSON.stringify(bundle));
  }

  async #listen(): Promise<void> {
    const addresses = await this.#cluster.listen();
    if (this.#options.insecure) this.#log(`listening on ${addresses.tcp} without encryption (--insecure): anyone who reaches it can join`, 'warn');
    this.#options.onListening(addresses);
  }

  #journalRun({ block }: RunDataset): void {
    const { state, runId, token, configSha256 } = this.#open;
    if (state.run === null) this.#journal.append({ kind: 'run', formatVersion: 1, runId, token, configSha256, datasetSha256: block.sha256 });
    else if (state.run.datasetSha256 !== block.sha256) {
      throw new LockstepError('data', `the data is not what the run began with: SHA-256 ${block.sha256} of the prepared samples, expected ${state.run.datasetSha256}`);
    }
  }

  async #agreeOnModel(): Promise<BuiltModel> {
    const model = await this.#cluster.workers.started;
    this.#journal.append({ kind: 'model', specs: model.specs.map(({ name, shape, kind }) => ({ name, shape: [...shape], kind })), topology: model.topology as Record<string, unknown>, frozenSha256: model.frozenSha256, numerics: this.#cluster.workers.numerics });
    return model;
  }

  async #prepareTraining(dataset: RunDataset, plan: RunPlan, layout: ParameterLayout, model: BuiltModel): Promise<Training> {
    const { config, directory } = this.#options;
    const { state, runId, configSha256 } = this.#open;
    const journal = this.#journal;
    const shardPlan = this.#shardPlan(layout, plan);
    const { writer, kept } = await openReceiptWriter(directory.file('receipts.jsonl'), {
      resumeAt: this.#open.isResumed ? 'end' : null, stepsPerEpoch: plan.stepsPerEpoch,
      patienceMs: PATIENCE_FACTOR * config.failureDetectionMs,
      onWaiting: ({ message }) => this.#log(`${message}; training goes on, it is tried again`, 'warn'),
    });
    this.#receipts = writer;
    const record = new RunRecord(plan, writer, (version) => wantsSnapshot(shardPlan, version));
    record.restore(kept);
    this.#nextStep = () => record.numSteps;
    const checkpoints = new Checkpoints({
      config, directory, runId, configSha256, layout, plan, trainSamples: dataset.numTraining,
      onWritten: (event) => this.#sink.write(event),
      onWarning: (message) => this.#log(message, 'warn'),
    });
    this.#checkpoints = checkpoints;
    const from = await checkpoints.newest();
    await checkpoints.requireBest(state.epochs.at(-1)?.best ?? null, from?.version ?? 0);
    if (kept.numSteps < (from?.version ?? 0)) {
      throw new LockstepError('storage', `${directory.file('receipts.jsonl')} has the steps up to ${kept.numSteps}, the newest checkpoint is of step ${from?.version}`, { hint: 'put back the whole file, or remove the checkpoints after it' });
    }
    if (!kept.hasRun) writer.write({ kind: 'run', formatVersion: 1, configSha256, numerics: this.#cluster.workers.numerics, seed: config.seed, wire: config.wire, parameterWire: config.parameterWire, parameters: layout.totalLength });
    this.#startClock = () => record.start(from?.progress.trainSeconds ?? 0);
    this.#announce(dataset, layout, plan, from?.version ?? 0, model);
    this.#training = new Training({
      config, plan, dataset, record, receipts: writer, checkpoints, rounds: this.#cluster.rounds, sink: this.#sink, epochs: state.epochs,
      onEpoch: (entry) => {
        journal.append(entry);
        return journal.settled();
      },
      letGo: (untilStep) => this.#cluster.dispatcher.letGo(untilStep),
      snapshotAt: (version) => this.#cluster.fleet.snapshotAt(version),
      acknowledge: (steps, snapshots) => this.#cluster.fleet.acknowledge(steps, snapshots),
      onFailure: (error) => this.#failure.reject(error),
    });
    return this.#training;
  }

  #announce({ examples, numTraining, sizes, classNames }: RunDataset, layout: ParameterLayout, plan: RunPlan, resumedFrom: number, model: BuiltModel): void {
    const { config, directory } = this.#options;
    const parameters = layOutWholeModel(model.specs).totalLength;
    this.#sink.write({
      event: 'start', run: directory.name, directory: directory.path, model: config.model.kind, parameters, frozenParameters: parameters - layout.totalLength, examples, classNames,
      trainSamples: numTraining, validationSamples: sizes.validation.numSamples, testSamples: sizes.test.numSamples,
      epochs: config.epochs, stepsPerEpoch: plan.stepsPerEpoch, totalSteps: plan.totalSteps, resumedFrom,
      globalBatchSize: config.globalBatchSize, microBatches: config.microBatches, numerics: this.#cluster.workers.numerics,
    });
    for (const entry of this.#untold) this.#sink.write(epochEventOf(entry));
  }

  #shardPlan(layout: ParameterLayout, plan: RunPlan): Omit<ShardPlan, 'range' | 'shard' | 'shards'> {
    const { config: { microBatches, optimizer, clipping, layerRates, wire, parameterWire, onNonFinite, receiptHashEverySteps, checkpoints } } = this.#options;
    const snapshotEvery = [plan.stepsPerEpoch, ...(receiptHashEverySteps > 0 ? [receiptHashEverySteps] : [])];
    const { trainableLength, totalLength } = layout;
    return { trainableLength, totalLength, microBatches, totalSteps: plan.totalSteps, stepsPerEpoch: plan.stepsPerEpoch, optimizer, clipping, rates: rateRanges(layerRates, layout), wire, parameterWire, snapshotEvery, checkpointEvery: checkpoints.everySteps, onNonFinite };
  }

  async #finish(dataset: RunDataset, model: BuiltModel, { parameters, parametersSha256, version, epochs, stoppedEarly, totals }: TrainingOutcome): Promise<RunResult> {
    const { config, directory } = this.#options;
    const { examples, sizes, classNames, splits } = dataset;
    // What is frozen in a language model is in the files that its config names.
    const frozen = splits === null || model.frozenSha256 === '' ? new Float32Array(0) : await this.#cluster.frozen.get(model.frozenSha256);
    await this.#onceThereIsRoom(() => saveModel(directory, dataset, model, { parameters, frozen }));
    const sums = await this.#cluster.rounds.evaluate({ split: 'test', size: sizes.test, numClasses: classNames.length, parameters });
    const evaluation = evaluationOf(dataset, sums);
    const { trainExamples, steps, trainSeconds } = totals;
    const end: EndEvent = {
      event: 'end', run: directory.name, directory: directory.path, steps, epochs, parametersSha256, examples, trainExamples, trainSeconds, examplesPerSecond: trainExamples / trainSeconds,
      test: { loss: evaluation.report.loss, accuracy: evaluation.report.accuracy }, stoppedEarly,
    };
    await this.#onceThereIsRoom(() => saveReport(directory, { config, splits, events: this.#history.events(), end, evaluation }));
    this.#receipts?.write({ kind: 'end', version, parametersSha256 });
    await this.#receipts?.sync();
    this.#journal.append({ kind: 'end', version, parametersSha256 });
    this.#sink.write(end);
    return { end, evaluation };
  }

  /** What the run ends with waits for a full disk as what it records does. */
  #onceThereIsRoom(write: () => Promise<void>): Promise<void> {
    const deadlineMs = performance.now() + PATIENCE_FACTOR * this.#options.config.failureDetectionMs;
    return onceThereIsRoom(write, {
      goOn: () => performance.now() < deadlineMs && !this.#closing.signal.aborted,
      onWaiting: (error) => this.#log(`${messageOf(error)}; it is tried again`, 'warn'),
    });
  }

  #log(message: string, level: 'info' | 'warn' = 'info'): void {
    this.#sink.write({ event: 'log', level, message } satisfies RunEvent);
  }
}

const later = (ms: number): Promise<null> => new Promise((resolve) => setTimeout(() => resolve(null), ms).unref());

function toLockstepError(error: unknown): LockstepError {
  return error instanceof LockstepError ? error : new LockstepError('protocol', messageOf(error), { cause: error });
}
