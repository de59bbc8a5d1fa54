import { layOutParameters, LockstepError, messageOf, runSchema, type Numerics, type RunConfig } from '@lockstep/core';
import { detectCapabilities, numericsEnvironment } from '@lockstep/engine';
import { ControlClient, insecureClientCredentials, PROTOCOL_VERSION, type CoordinatorMessage__Output, type EvaluateMessage, type ShardsMessage, type WelcomeMessage } from '@lockstep/transport';
import { hostname } from 'node:os';
import { CurrentAssignment } from './current-assignment.ts';
import { obtainDataset } from './dataset-block.ts';
import { EngineHandle, type PartialMessage } from './engine-handle.ts';
import { connectShards, type ShardStreams } from './shard-streams.ts';
import { VersionAssembly } from './version-assembly.ts';

export interface WorkerOptions {
  /** `HOST:PORT` or `unix:PATH` of the coordinator. */
  readonly join: string;
  /** Which engine this machine is to offer. */
  readonly engine: RunConfig['numerics']['engine'];
  readonly signal: AbortSignal;
  /** Told once, when the worker is a member. */
  readonly onWelcome?: (rank: number) => void;
}

/**
 * A worker from joining to the end of the run.
 * @throws LockstepError when it is refused, loses its coordinator or a shard, or cannot compute.
 */
export async function runWorker(options: WorkerOptions): Promise<void> {
  const worker = new WorkerProcess(options);
  try {
    await worker.run();
  } finally {
    await worker.close();
  }
}

class WorkerProcess {
  readonly #options: WorkerOptions;
  readonly #control: ControlClient;
  readonly #ending = new AbortController();
  readonly #signal: AbortSignal;
  readonly #welcome = Promise.withResolvers<WelcomeMessage>();
  readonly #shards = Promise.withResolvers<ShardsMessage>();
  readonly #finished = Promise.withResolvers<void>();
  readonly #assignment = new CurrentAssignment();
  #engine: EngineHandle | null = null;
  #streams: ShardStreams | null = null;
  #heartbeat: NodeJS.Timeout | null = null;
  #lastHeardMs = performance.now();
  #partialsOfStep = 0;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#signal = AbortSignal.any([options.signal, this.#ending.signal]);
    for (const { promise } of [this.#welcome, this.#shards, this.#finished]) promise.catch(() => undefined);
    this.#signal.addEventListener('abort', () => this.#abortWaits(), { once: true });
    this.#control = new ControlClient({
      address: options.join,
      credentials: insecureClientCredentials(),
      onMessage: (message) => this.#take(message),
      onEnd: (error) => this.#fail(error ?? new LockstepError('connection', `the coordinator at ${options.join} ended the run`)),
    });
  }

  async run(): Promise<void> {
    const capabilities = await detectCapabilities(this.#options.engine);
    this.#control.send({ hello: { protocolVersion: PROTOCOL_VERSION, capabilities: { ...capabilities, gpuKind: capabilities.gpuKind ?? '', hostname: hostname(), pid: process.pid } } });
    const welcome = await this.#welcome.promise;
    this.#options.onWelcome?.(welcome.rank);
    const config = runSchema.parse(JSON.parse(welcome.configJson));
    this.#startHeartbeats(config.failureDetectionMs);
    const { ready, engine } = await this.#startEngine(config, welcome);
    this.#control.send({
      modelReady: {
        parameters: ready.specs.map(({ name, shape, kind }) => ({ name, shape: [...shape], trainable: kind === 'trainable' })),
        topologyJson: JSON.stringify(ready.topology),
      },
    });
    const shards = await this.#shards.promise;
    const layout = layOutParameters(ready.specs);
    const versions = new VersionAssembly(layout.totalLength, shards.shards.length);
    this.#streams = await connectShards(shards.shards, { rank: welcome.rank, joined: this.#options.join, versions, onLost: (error) => this.#fail(error) });
    if (shards.initialize) this.#streams.initialize(ready.initial);
    await Promise.race([this.#finished.promise, this.#train(engine, versions)]);
  }

  async close(): Promise<void> {
    if (this.#heartbeat !== null) clearInterval(this.#heartbeat);
    this.#streams?.close();
    this.#control.close();
    await this.#engine?.close();
  }

  /** The lockstep: version t → gradients of this worker's nodes → push → version t+1. */
  async #train(engine: EngineHandle, versions: VersionAssembly): Promise<void> {
    let previous: Float32Array | null = null;
    for (let next = 0; ;) {
      const { version: step, parameters } = await versions.next(next, this.#signal);
      const nodes = await this.#assignment.nodesFor(step, this.#signal);
      this.#partialsOfStep = 0;
      await engine.computeStep(step, nodes, parameters);
      // Once this turn's frames have left: their sending must not compete for a core with the engine's preparing.
      setImmediate(() => engine.wait(step + 1, nodes[0]));
      if (previous !== null) versions.release(previous);
      previous = parameters;
      next = step + 1;
    }
  }

  #push({ step, node, tally, computeMs, sum }: PartialMessage): void {
    const slot = (step % 2) * MAX_PARTIALS_A_STEP + this.#partialsOfStep;
    this.#partialsOfStep += 1;
    this.#streams?.push({ step, node, tally, computeMs }, slot, sum);
  }

  async #startEngine(config: RunConfig, welcome: WelcomeMessage): Promise<{ readonly engine: EngineHandle; readonly ready: Awaited<EngineHandle['ready']> }> {
    const numerics = JSON.parse(welcome.numericsJson) as Numerics;
    if (welcome.dataset === null) throw new LockstepError('protocol', 'the coordinator named no data set');
    const dataset = await obtainDataset(welcome.dataset, this.#control, this.#signal);
    Object.assign(process.env, numericsEnvironment(numerics));
    const modelBundle = welcome.modelBundle === '' ? null : { source: welcome.modelBundle, sha256: welcome.modelBundleSha256 };
    const engine = new EngineHandle({
      data: { config, numerics, dataset, modelBundle },
      onPartial: (partial) => this.#push(partial),
      onEvaluated: ({ evaluation, part, lossSum, numCorrect, probabilities }) => this.#control.send({
        evaluationPart: { evaluation, part, lossSum, numCorrect, probabilities: Buffer.from(probabilities.buffer, probabilities.byteOffset, probabilities.byteLength) },
      }),
      onFailure: (error) => this.#fail(error),
    });
    this.#engine = engine;
    return { engine, ready: await engine.ready };
  }

  #startHeartbeats(failureDetectionMs: number): void {
    this.#lastHeardMs = performance.now();
    this.#heartbeat = setInterval(() => {
      this.#control.send({ heartbeat: {} });
      const silentMs = performance.now() - this.#lastHeardMs;
      if (silentMs > failureDetectionMs) this.#fail(new LockstepError('connection', `the coordinator at ${this.#options.join} has been silent for ${Math.round(silentMs)} ms`));
    }, failureDetectionMs / 4);
  }

  #take(message: CoordinatorMessage__Output): void {
    this.#lastHeardMs = performance.now();
    if (message.welcome) this.#welcome.resolve(message.welcome);
    else if (message.refusal) this.#fail(new LockstepError(message.refusal.code === 'numerics' ? 'numerics' : 'protocol', `refused by the coordinator: ${message.refusal.reason}`));
    else if (message.shards) this.#shards.resolve(message.shards);
    else if (message.assignment) this.#assignment.set(message.assignment);
    else if (message.evaluate) void this.#evaluate(message.evaluate);
    else if (message.finish) this.#finished.resolve();
  }

  async #evaluate({ evaluation, split, parameters, parts }: EvaluateMessage): Promise<void> {
    try {
      if (parameters === null || (split !== 'validation' && split !== 'test')) throw new LockstepError('protocol', `cannot evaluate split "${split}"`);
      const block = await this.#control.fetchBlock(parameters, this.#signal);
      const aligned = new Float32Array(block.buffer.slice(block.byteOffset, block.byteOffset + block.byteLength));
      this.#engine?.evaluate({ evaluation, split, parts, parameters: aligned });
    } catch (error) {
      this.#fail(error instanceof LockstepError ? error : new LockstepError('engine', messageOf(error), { cause: error }));
    }
  }

  /** Tells the coordinator why, then ends every wait with the error. */
  #fail(error: LockstepError): void {
    if (this.#ending.signal.aborted) return;
    this.#control.send({ failure: { code: error.code, message: error.message, hint: error.hint ?? '' } });
    this.#ending.abort(error);
  }

  #abortWaits(): void {
    const reason: unknown = this.#signal.reason;
    for (const wait of [this.#welcome, this.#shards, this.#finished]) wait.reject(reason);
  }
}

/** More than a worker's range can need: each side of a range adds at most one node a level. */
const MAX_PARTIALS_A_STEP = 64;
