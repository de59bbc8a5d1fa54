import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { layOutParameters, LockstepError, messageOf, sha256, type ConfigBundle, type EndEvent, type RunConfig, type RunEvent } from '@lockstep/core';
import { createReceiptWriter, saveFinalModel, type ReceiptWriter, type RunDirectory } from '@lockstep/checkpoint';
import { stepsPerEpoch } from '@lockstep/data';
import { evaluatePredictions, type EvaluationReport } from '@lockstep/evaluation';
import { EmbeddedShards } from '@lockstep/parameter-server';
import { planRun, type RunPlan } from '@lockstep/scheduling';
import { createMetricsFile, createRunHistory, createTensorBoard, fanOut, type RunEventSink } from '@lockstep/telemetry';
import { BlockShelf, ControlServer, insecureServerCredentials, requireLocalOrInsecure } from '@lockstep/transport';
import { prepareDataset, type RunDataset } from './dataset.ts';
import { EvaluationRounds } from './evaluation-round.ts';
import type { BuiltModel } from './model-agreement.ts';
import { saveReport } from './save-run.ts';
import { Training, type TrainingOutcome } from './training.ts';
import { WorkerRegistry } from './worker-registry.ts';

export interface CoordinatorOptions {
  readonly config: RunConfig;
  /** The config file's model function, or null for a model of the zoo. */
  readonly bundle: ConfigBundle | null;
  readonly directory: RunDirectory;
  /** The run starts when so many have joined. */
  readonly minWorkers: number;
  /** `HOST:PORT`; port 0 lets the system choose. */
  readonly listen: string;
  /** Allow `listen` beyond this machine, unencrypted. */
  readonly insecure: boolean;
  /** Whether tensors may go through shared memory. */
  readonly sharedMemory: boolean;
  /** What a person or a program sees. */
  readonly sink: RunEventSink;
  readonly signal: AbortSignal;
  /** Workers can join now: at the Unix socket on this machine, else at the TCP address. */
  readonly onListening: (addresses: { readonly unix: string; readonly tcp: string }) => void;
}

export interface RunResult {
  readonly end: EndEvent;
  readonly evaluation: EvaluationReport;
}

/**
 * A run from its data to its report.
 * @throws LockstepError when the data or config is wrong, a worker is lost or the run is aborted.
 */
export async function runCoordinator(options: CoordinatorOptions): Promise<RunResult> {
  requireLocalOrInsecure(options.listen, options.insecure);
  const scratch = await mkdtemp(join(tmpdir(), 'lockstep-'));
  const run = new Run(options, scratch);
  try {
    const result = await run.untilFailure(run.execute());
    await run.close(null);
    return result;
  } catch (error) {
    const failure = toLockstepError(options.signal.aborted ? options.signal.reason : error);
    await run.close(failure);
    // Before the first step there is nothing in the directory that anyone could want.
    if (!run.hasStarted) await rm(options.directory.path, { recursive: true, force: true });
    throw failure;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** One run's state on the coordinator. `execute` reads from top to bottom as what happens. */
class Run {
  readonly #options: CoordinatorOptions;
  readonly #scratch: string;
  readonly #shelf = new BlockShelf();
  readonly #registry: WorkerRegistry;
  readonly #rounds: EvaluationRounds;
  readonly #control: ControlServer;
  readonly #history = createRunHistory();
  readonly #sink: RunEventSink;
  readonly #receipts: ReceiptWriter;
  readonly #failure = Promise.withResolvers<never>();
  #shards: EmbeddedShards | null = null;
  #hasStarted = false;

  constructor(options: CoordinatorOptions, scratch: string) {
    this.#options = options;
    this.#scratch = scratch;
    const { config, directory, signal } = options;
    this.#failure.promise.catch(() => undefined);
    signal.addEventListener('abort', () => this.#failure.reject(signal.reason), { once: true });
    this.#sink = fanOut([options.sink, createMetricsFile(directory.file('metrics.jsonl')), createTensorBoard(directory.path), this.#history]);
    this.#receipts = createReceiptWriter(directory.file('receipts.jsonl'));
    this.#registry = new WorkerRegistry({
      minWorkers: options.minWorkers,
      failureDetectionMs: config.failureDetectionMs,
      numerics: config.numerics,
      onEvent: (event) => this.#sink.write(event),
      onWaiting: (reason) => this.#log(`waiting for workers: ${reason}`),
      onPart: (part) => this.#rounds.take(part),
      onFailure: (error) => this.#failure.reject(error),
    });
    this.#rounds = new EvaluationRounds(this.#shelf, (rank, message) => this.#registry.send(rank, message));
    this.#control = new ControlServer(this.#registry, this.#shelf, insecureServerCredentials());
  }

  get hasStarted(): boolean {
    return this.#hasStarted;
  }

  async execute(): Promise<RunResult> {
    const { config, directory, bundle } = this.#options;
    await directory.writeAtomically('config.json', JSON.stringify(config, null, 2));
    await this.#listen();
    const dataset = await prepareDataset(config, this.#scratch, this.#shelf, { signal: this.#options.signal, onProgress: (message) => this.#log(message) });
    this.#registry.open({ config, bundle, dataset: dataset.block });
    const model = await this.#registry.started;
    const plan = planRun({ stepsPerEpoch: stepsPerEpoch(dataset.splits.training.numExamples, config.globalBatchSize), epochs: config.epochs, maxSteps: config.maxSteps });
    this.#announce(dataset, model, plan);
    const training = new Training({
      config, plan, dataset, registry: this.#registry, rounds: this.#rounds, receipts: this.#receipts, sink: this.#sink,
      onFailure: (error) => this.#failure.reject(error),
    });
    await this.#startShards(model, plan, training);
    this.#hasStarted = true;
    const outcome = await training.run();
    return this.#finish(dataset, model, outcome);
  }

  /** Settles as `work` does, or rejects as soon as the run has failed. */
  untilFailure<T>(work: Promise<T>): Promise<T> {
    work.catch(() => undefined);
    return Promise.race([work, this.#failure.promise]);
  }

  async close(error: LockstepError | null): Promise<void> {
    this.#registry.end(error);
    await this.#control.close(this.#options.config.failureDetectionMs);
    await this.#shards?.close();
    await Promise.all([this.#sink.close(), this.#receipts.close()]);
  }

  async #listen(): Promise<void> {
    const unix = `unix:${join(this.#scratch, 'coordinator.sock')}`;
    const [, tcp = this.#options.listen] = await this.#control.listen([unix, this.#options.listen]);
    if (this.#options.insecure) this.#log(`listening on ${tcp} without encryption (--insecure): anyone who reaches it can join`, 'warn');
    this.#options.onListening({ unix, tcp });
  }

  #announce({ splits }: RunDataset, model: BuiltModel, plan: RunPlan): void {
    const { config, directory } = this.#options;
    const { totalLength } = layOutParameters(model.specs);
    const { numerics } = this.#registry;
    this.#receipts.write({ kind: 'run', formatVersion: 1, configSha256: sha256(JSON.stringify(config)), numerics, seed: config.seed, parameters: totalLength });
    this.#sink.write({
      event: 'start', run: directory.name, directory: directory.path, model: config.model.kind, parameters: totalLength, classNames: splits.classNames,
      trainSamples: splits.training.numExamples, validationSamples: splits.validation.numExamples, testSamples: splits.test.numExamples,
      epochs: config.epochs, stepsPerEpoch: plan.stepsPerEpoch, totalSteps: plan.totalSteps,
      globalBatchSize: config.globalBatchSize, microBatches: config.microBatches, shards: config.shards, numerics,
    });
  }

  async #startShards(model: BuiltModel, plan: RunPlan, training: Training): Promise<void> {
    const { config, listen } = this.#options;
    const layout = layOutParameters(model.specs);
    const host = listen.replace(/:\d+$/, '');
    const shards = new EmbeddedShards({
      plan: { trainableLength: layout.trainableLength, microBatches: config.microBatches, totalSteps: plan.totalSteps, optimizer: config.optimizer, clipping: config.clipping },
      totalLength: layout.totalLength,
      shards: config.shards,
      listenOn: (shard) => [`unix:${join(this.#scratch, `shard-${shard}.sock`)}`, `${host}:0`],
      sharedMemory: this.#options.sharedMemory,
      snapshots: training.snapshots,
      onFinished: (finished, atMs) => training.finishStep(finished, atMs),
      onSnapshot: (version, parameters) => training.takeSnapshot(version, parameters),
      onFault: (error) => this.#failure.reject(error),
    });
    this.#shards = shards;
    const hosted = await shards.listening();
    this.#registry.announceShards(hosted.map(({ range, addresses: [unixAddress = '', tcpAddress = ''] }) => ({ ...range, unixAddress, tcpAddress })));
  }

  async #finish({ splits }: RunDataset, model: BuiltModel, { parameters, parametersSha256, version, epochs, stoppedEarly, totals }: TrainingOutcome): Promise<RunResult> {
    const { config, directory } = this.#options;
    this.#receipts.write({ kind: 'end', version, parametersSha256 });
    await saveFinalModel(directory, {
      topology: model.topology, layout: layOutParameters(model.specs), flat: parameters,
      classNames: splits.classNames, imageShape: splits.training.imageShape, statistics: splits.statistics,
    });
    const { probabilities, lossSum } = await this.#rounds.evaluate(
      { split: 'test', numExamples: splits.test.numExamples, numClasses: splits.classNames.length, parameters }, this.#registry.ranks);
    const evaluation = evaluatePredictions({ labels: splits.test.labels, probabilities, lossSum, classNames: splits.classNames });
    const { trainSamples, steps, trainSeconds } = totals;
    const end: EndEvent = {
      event: 'end', run: directory.name, directory: directory.path, steps, epochs, parametersSha256, trainSamples, trainSeconds, imagesPerSecond: trainSamples / trainSeconds,
      test: { loss: evaluation.loss, accuracy: evaluation.accuracy }, stoppedEarly,
    };
    await saveReport(directory, { config, splits, events: this.#history.events(), end, evaluation });
    this.#sink.write(end);
    return { end, evaluation };
  }

  #log(message: string, level: 'info' | 'warn' = 'info'): void {
    this.#sink.write({ event: 'log', level, message } satisfies RunEvent);
  }
}

function toLockstepError(error: unknown): LockstepError {
  return error instanceof LockstepError ? error : new LockstepError('protocol', messageOf(error), { cause: error });
}
