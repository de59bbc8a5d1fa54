import { bytesOf, layOutParameters, LockstepError, messageOf, runSchema, type Capabilities, type Numerics, type ParameterSpec, type RunConfig } from '@lockstep/core';
import { isCompressed, isTreeNode, type TreeNode } from '@lockstep/reduction';
import type { CoordinatorMessage__Output, EvaluateMessage, PlacementMessage, WelcomeMessage, WorkerMessage } from '@lockstep/transport';
import { obtainDataset } from './dataset-block.ts';
import type { EngineHandle, EngineHandleOptions, EvaluatedMessage, ReadyMessage } from './engine-handle.ts';
import { HostedShards } from './hosted-shards.ts';
import { Membership } from './membership.ts';
import { HostRelay } from './relay/host-relay.ts';
import type { RelaySettings } from './relay/relay-messages.ts';
import { TrainingLoop } from './training-loop.ts';

export interface WorkerOptions {
  /** `HOST:PORT` or `unix:PATH` of the coordinator. */
  readonly join: string;
  /** The host name or IP on which shards of this process listen, where the run's config has workers host shards. */
  readonly listenHost: string;
  /** Ends the worker at once. */
  readonly signal: AbortSignal;
  /** Asks the worker to leave in order: it goes on until others have its part. */
  readonly leaving: AbortSignal;
  /** Told once, when the worker is a member. */
  readonly onWelcome: (rank: number) => void;
  /** A line for whoever looks after this process. */
  readonly onNote: (message: string) => void;
}

/** What computes a worker's gradients, as its main thread sees it. */
export type WorkerEngine = Pick<EngineHandle, 'ready' | 'compute' | 'interrupt' | 'wait' | 'evaluate' | 'readFrozen' | 'close'>;
export type WorkerEngineOptions = EngineHandleOptions;

/** What a worker computes with. */
export interface WorkerDevice {
  readonly capabilities: Capabilities;
  /** Called once, when the run's config, numerics and data are known. */
  startEngine(options: WorkerEngineOptions): WorkerEngine;
}

/** Hosted shards that have not been told to finish so many failure-detection times after the worker are ended by it. */
const HOST_GRACE_FACTOR = 10;

/**
 * A worker that computes with this device, from joining to the end of the run, or until it has left.
 * @throws LockstepError when it is refused, its coordinator does not come back, or it cannot compute.
 */
export async function runWorkerOn(device: WorkerDevice, options: WorkerOptions): Promise<void> {
  const worker = new WorkerProcess(options, device);
  try {
    await worker.run();
  } finally {
    await worker.close();
  }
}

class WorkerProcess {
  readonly #options: WorkerOptions;
  readonly #device: WorkerDevice;
  readonly #membership: Membership;
  readonly #ending = new AbortController();
  readonly #signal: AbortSignal;
  /** Rejects with the signal's reason. */
  readonly #aborted = Promise.withResolvers<never>();
  readonly #finished = Promise.withResolvers<void>();
  #isMember = false;
  #microBatches = 0;
  #engine: WorkerEngine | null = null;
  #loop: TrainingLoop | null = null;
  #hosted: HostedShards | null = null;
  #relay: HostRelay | null = null;

  constructor(options: WorkerOptions, device: WorkerDevice) {
    this.#options = options;
    this.#device = device;
    this.#signal = AbortSignal.any([options.signal, this.#ending.signal]);
    this.#aborted.promise.catch(() => undefined);
    this.#signal.addEventListener('abort', () => this.#aborted.reject(this.#signal.reason), { once: true });
    options.leaving.addEventListener('abort', () => this.#leave(), { once: true });
    this.#membership = new Membership({
      join: options.join,
      capabilities: device.capabilities,
      onMessage: (message) => this.#guard(() => this.#take(message)),
      onBroken: (error) => options.onNote(`${error.message}; connecting again`),
      onRejoin: () => this.#rejoined(),
      onEnd: (error) => (error === null ? this.#finished.resolve() : this.#fail(error)),
    });
    if (options.leaving.aborted) this.#leave();
  }

  async run(): Promise<void> {
    this.#signal.throwIfAborted();
    await Promise.race([this.#aborted.promise, this.#finished.promise, this.#join().then((loop) => loop.run(this.#signal))]);
    await Promise.race([this.#aborted.promise, this.#hosted?.finished]);
  }

  async close(): Promise<void> {
    this.#loop?.close();
    this.#membership.control.close();
    await Promise.all([this.#hosted?.close(), this.#relay?.close()]);
    await this.#engine?.close();
  }

  /** From the welcome to where the training begins: config, data, model. */
  async #join(): Promise<TrainingLoop> {
    const { join, onWelcome } = this.#options;
    const welcome = await this.#membership.welcome;
    this.#isMember = true;
    const config = runSchema.parse(JSON.parse(welcome.configJson));
    this.#microBatches = config.microBatches;
    this.#membership.control.startHeartbeats({
      failureDetectionMs: config.failureDetectionMs,
      heartbeat: () => ({ heartbeat: { step: this.#loop?.step ?? 0 } }),
      attestedMs: () => this.#loop?.newestMs ?? -Infinity,
    });
    onWelcome(welcome.rank);
    if (config.shardHosts.includes('workers')) this.#hostShards(config);
    const engine = await this.#startEngine(config, welcome);
    const { specs, topology, initial, frozenSha256 } = await engine.ready;
    const layout = layOutParameters(specs);
    // Compressed sums are not added up on their way.
    this.#relay = isCompressed(config.wire) ? null : this.#createRelay(welcome.rank, { ...config, wire: config.wire }, layout.trainableLength);
    this.#loop = new TrainingLoop({
      rank: welcome.rank, joined: join, engine, layout, initial, config,
      onShardBroken: (shard, error, attempt) => {
        if (attempt === 0) this.#options.onNote(`shard ${shard}: ${error.message}; connecting again`);
      },
    });
    this.#membership.declare(modelReady(specs, topology, frozenSha256));
    return this.#loop;
  }

  #hostShards({ failureDetectionMs }: RunConfig): void {
    const { join, listenHost, leaving } = this.#options;
    this.#hosted = new HostedShards({ join, listenHost, graceMs: HOST_GRACE_FACTOR * failureDetectionMs, onFailure: (error) => this.#fail(error) });
    void this.#finished.promise.then(() => {
      // One that leaves goes on hosting until its shards are elsewhere, however long that takes.
      if (!leaving.aborted) this.#hosted?.expectFinish();
    });
    if (leaving.aborted) this.#hosted.leave();
  }

  #createRelay(rank: number, config: RunConfig & Pick<RelaySettings, 'wire'>, trainableLength: number): HostRelay {
    const { join, onNote } = this.#options;
    const { microBatches, wire, parameterWire, failureDetectionMs } = config;
    return new HostRelay({
      settings: { rank, joined: join, microBatches, trainableLength, wire, parameterWire, failureDetectionMs },
      onNote,
      onReady: (relayReady) => this.#membership.control.send({ relayReady }),
    });
  }

  async #startEngine(config: RunConfig, welcome: WelcomeMessage): Promise<WorkerEngine> {
    const numerics = JSON.parse(welcome.numericsJson) as Numerics;
    if (welcome.dataset === null) throw new LockstepError('protocol', 'the coordinator named no data set');
    const dataset = await obtainDataset(config, welcome.dataset, this.#membership.control, this.#signal);
    const modelBundle = welcome.modelBundle === '' ? null : { source: welcome.modelBundle, sha256: welcome.modelBundleSha256 };
    this.#engine = this.#device.startEngine({
      data: { config, numerics, dataset, modelBundle },
      onPartial: (partial) => this.#loop?.takePartial(partial),
      onEvaluated: (evaluated) => this.#membership.control.send(evaluationPart(evaluated)),
      onFailure: (error) => this.#fail(error),
    });
    return this.#engine;
  }

  #take(message: CoordinatorMessage__Output): void {
    if (message.placement) this.#place(message.placement);
    else if (message.relay) this.#relay?.take(message.relay);
    else if (message.assignment) this.#loop?.assignment.set({ ...message.assignment, nodes: this.#checked(message.assignment.nodes) });
    else if (message.extra) this.#loop?.assignment.add({ ...message.extra, nodes: this.#checked(message.extra.nodes) });
    else if (message.evaluate) void this.#evaluate(message.evaluate);
    else if (message.sendFrozen) void this.#sendFrozen(message.sendFrozen.token);
  }

  /** The relay first: the loop's streams may lead to it. */
  #place(placement: PlacementMessage): void {
    this.#relay?.place(placement);
    this.#loop?.place(placement);
  }

  #checked(nodes: readonly TreeNode[]): readonly TreeNode[] {
    const wrong = nodes.find((node) => !isTreeNode(node, this.#microBatches));
    if (wrong !== undefined) throw new LockstepError('protocol', `the coordinator assigned node (${wrong.level}, ${wrong.index}) of a tree over ${this.#microBatches} micro-batches`);
    return nodes;
  }

  async #evaluate({ evaluation, split, parameters, parts }: EvaluateMessage): Promise<void> {
    if (parameters === null || (split !== 'validation' && split !== 'test')) return this.#fail(new LockstepError('protocol', `cannot evaluate split "${split}"`));
    // A coordinator that has gone, or that comes back without the block, will ask again.
    const block = await this.#membership.control.fetchBlock(parameters, this.#signal).catch(() => null);
    if (block === null) return;
    const aligned = new Float32Array(block.buffer.slice(block.byteOffset, block.byteOffset + block.byteLength));
    this.#engine?.evaluate({ evaluation, split, parts, parameters: aligned });
  }

  /** A coordinator that has gone asks again when it is back. */
  async #sendFrozen(token: string): Promise<void> {
    const { control } = this.#membership;
    const values = await this.#engine?.readFrozen().catch(() => undefined);
    const frozenValues = values === undefined ? null : await control.putBlock(token, values.map(bytesOf), this.#signal).catch(() => null);
    if (frozenValues !== null) control.send({ frozenValues });
  }

  /** Whoever coordinates now asks for a relay where it wants one. */
  #rejoined(): void {
    this.#relay?.end();
    this.#options.onNote(`joined ${this.#options.join} again`);
  }

  #leave(): void {
    if (!this.#isMember) return this.#finished.resolve();
    this.#membership.declare({ leave: {} });
    this.#hosted?.leave();
  }

  #guard(take: () => void): void {
    try {
      take();
    } catch (error) {
      this.#fail(error instanceof LockstepError ? error : new LockstepError('protocol', messageOf(error), { cause: error }));
    }
  }

  /** Tells the coordinator why, then ends every wait with the error. */
  #fail(error: LockstepError): void {
    if (this.#ending.signal.aborted) return;
    this.#membership.control.send({ failure: { code: error.code, message: error.message, hint: error.hint ?? '' } });
    this.#ending.abort(error);
  }
}

function modelReady(specs: readonly ParameterSpec[], topology: ReadyMessage['topology'], frozenSha256: string): WorkerMessage {
  return {
    modelReady: {
      parameters: specs.map(({ name, shape, kind }) => ({ name, shape: [...shape], kind })),
      topologyJson: JSON.stringify(topology),
      frozenSha256,
    },
  };
}

function evaluationPart({ evaluation, part, lossSum, numCorrect, numExamples, probabilities }: EvaluatedMessage): WorkerMessage {
  const bytes = Buffer.from(probabilities.buffer, probabilities.byteOffset, probabilities.byteLength);
  return { evaluationPart: { evaluation, part, lossSum, numCorrect, numExamples, probabilities: bytes } };
}
