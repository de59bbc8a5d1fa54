import { LockstepError, type Capabilities, type ConfigBundle, type ErrorCode, type Numerics, type Rank, type RunConfig, type WorkerEvent } from '@lockstep/core';
import { assignEvenly, chooseNumerics, decideStart, describeMember, refusalOf, silentMembers, withActive, withHeard, withJoined, withLost, type Assignment, type Member, type Membership } from '@lockstep/scheduling';
import { PROTOCOL_VERSION, type BlockReference, type CoordinatorMessage, type EvaluationPartMessage, type MembershipPort, type ModelReadyMessage, type ShardEndpoint, type WorkerConnection, type WorkerMessage__Output } from '@lockstep/transport';
import { describeMissing } from './missing-work.ts';
import { ModelAgreement, type BuiltModel } from './model-agreement.ts';

/** What every worker is told of the run when it joins. */
export interface RunTerms {
  readonly config: RunConfig;
  readonly bundle: ConfigBundle | null;
  readonly dataset: Required<BlockReference>;
}

export interface WorkerRegistryOptions {
  readonly minWorkers: number;
  readonly failureDetectionMs: number;
  readonly numerics: RunConfig['numerics'];
  readonly onEvent: (event: WorkerEvent) => void;
  readonly onWaiting: (reason: string) => void;
  readonly onPart: (part: EvaluationPartMessage) => void;
  /** A member is lost, or the workers cannot compute this run: it ends. */
  readonly onFailure: (error: LockstepError) => void;
}

/** The run's workers: who has joined, on what terms, who is alive. Decisions are `@lockstep/scheduling`'s. */
export class WorkerRegistry implements MembershipPort {
  readonly #options: WorkerRegistryOptions;
  readonly #connections = new Map<Rank, WorkerConnection>();
  readonly #ranks = new Map<WorkerConnection, Rank>();
  readonly #started = Promise.withResolvers<BuiltModel>();
  readonly #model = new ModelAgreement();
  readonly #watch: NodeJS.Timeout;
  #membership: Membership = [];
  #terms: RunTerms | null = null;
  #numerics: Numerics | null = null;
  #lastBeatMs = performance.now();
  #assignment: Assignment = new Map();
  #phase: 'gathering' | 'training' | 'ended' = 'gathering';

  constructor(options: WorkerRegistryOptions) {
    this.#options = options;
    this.#started.promise.catch(() => undefined);
    this.#watch = setInterval(() => this.#beat(), options.failureDetectionMs / 4);
  }

  /** Resolves when enough workers have built the model, all the same. */
  get started(): Promise<BuiltModel> {
    return this.#started.promise;
  }

  get numerics(): Numerics {
    if (this.#numerics === null) throw new Error('the numerics are not fixed yet');
    return this.#numerics;
  }

  /** The members that take part, in rank order. */
  get ranks(): readonly Rank[] {
    return this.#membership.filter(({ kind }) => kind === 'active').map(({ rank }) => rank);
  }

  /** Welcomes the workers, those that wait and those to come, on these terms. */
  open(terms: RunTerms): void {
    this.#terms = terms;
    this.#fixNumerics();
  }

  /** Tells the workers where the shards are; the first sends its initial values. */
  announceShards(shards: readonly ShardEndpoint[]): void {
    this.ranks.forEach((rank, index) => this.#send(rank, { shards: { shards: [...shards], initialize: index === 0 } }));
  }

  /** Lets all workers go on to `untilStep`, each with its part of every step. */
  assign(fromStep: number, untilStep: number, microBatches: number): void {
    this.#assignment = assignEvenly(this.ranks, microBatches);
    for (const [rank, nodes] of this.#assignment) this.#send(rank, { assignment: { fromStep, untilStep, nodes: [...nodes] } });
  }

  send(rank: Rank, message: CoordinatorMessage): void {
    this.#send(rank, message);
  }

  /** Ends every worker's part: in order, or because of an error. */
  end(error: LockstepError | null): void {
    if (this.#phase === 'ended') return;
    this.#phase = 'ended';
    clearInterval(this.#watch);
    for (const [connection] of this.#ranks) {
      connection.send(error === null ? { finish: {} } : { refusal: { code: error.code, reason: error.message } });
      connection.end();
    }
  }

  message(connection: WorkerConnection, message: WorkerMessage__Output): void {
    const rank = this.#ranks.get(connection);
    if (rank !== undefined) this.#membership = withHeard(this.#membership, rank, performance.now());
    if (message.hello) this.#admit(connection, message.hello);
    else if (rank === undefined) refuse(connection, 'protocol', 'a worker must say hello first');
    else if (message.modelReady) this.#takeModel(rank, message.modelReady);
    else if (message.evaluationPart) this.#options.onPart(message.evaluationPart);
    else if (message.failure) this.#fail(rank, message.failure);
  }

  ended(connection: WorkerConnection): void {
    const rank = this.#ranks.get(connection);
    this.#ranks.delete(connection);
    if (rank !== undefined) this.#lose(rank, 'its connection broke');
  }

  #admit(connection: WorkerConnection, hello: NonNullable<WorkerMessage__Output['hello']>): void {
    if (hello.protocolVersion !== PROTOCOL_VERSION) return refuse(connection, 'protocol', `it speaks version ${hello.protocolVersion} of the protocol, expected ${PROTOCOL_VERSION}`);
    if (this.#ranks.has(connection)) return refuse(connection, 'protocol', 'it said hello before');
    if (this.#phase !== 'gathering') return refuse(connection, 'protocol', `the run has started with ${this.ranks.length} workers`);
    if (hello.capabilities === null) return refuse(connection, 'protocol', 'it does not say what it can do');
    const capabilities = { ...hello.capabilities, gpuKind: hello.capabilities.gpuKind || null } as Capabilities;
    const reason = this.#numerics === null ? null : refusalOf(this.#numerics, capabilities);
    if (reason !== null) return refuse(connection, 'numerics', reason);
    const { membership, rank } = withJoined(this.#membership, capabilities, performance.now());
    this.#membership = membership;
    this.#connections.set(rank, connection);
    this.#ranks.set(connection, rank);
    this.#tell(rank, 'joined');
    if (this.#numerics === null) this.#fixNumerics();
    else this.#welcome(rank);
  }

  /** Once for the run, from what the workers that must be there can do. */
  #fixNumerics(): void {
    const present = this.#membership.filter(({ kind }) => kind !== 'lost');
    if (this.#terms === null) return;
    if (present.length < this.#options.minWorkers) return this.#options.onWaiting(`${present.length} of ${this.#options.minWorkers} workers have joined`);
    try {
      this.#numerics = chooseNumerics(this.#options.numerics, present.map(({ capabilities }) => capabilities));
    } catch (error) {
      return this.#options.onFailure(error as LockstepError);
    }
    for (const { rank } of present) this.#welcome(rank);
  }

  #welcome(rank: Rank): void {
    if (this.#terms === null) return;
    const { config, bundle, dataset } = this.#terms;
    this.#membership = withHeard(this.#membership, rank, performance.now());
    this.#send(rank, {
      welcome: {
        rank, configJson: JSON.stringify(config), numericsJson: JSON.stringify(this.#numerics), dataset,
        modelBundle: bundle?.source ?? '', modelBundleSha256: bundle?.sha256 ?? '',
      },
    });
  }

  #takeModel(rank: Rank, message: ModelReadyMessage): void {
    const model = this.#model.take(rank, message);
    if (typeof model === 'string') return this.#fail(rank, { code: 'config', message: model, hint: '' });
    this.#membership = withActive(this.#membership, rank);
    this.#tell(rank, 'training');
    const decision = decideStart(this.#membership, this.#options.minWorkers);
    if (decision.kind === 'wait' || this.#phase !== 'gathering') return;
    this.#phase = 'training';
    this.#started.resolve(model);
  }

  #beat(): void {
    // A worker that was not welcomed does not know how often to speak; its broken connection would tell.
    if (this.#numerics === null) return;
    for (const connection of this.#ranks.keys()) connection.send({ heartbeat: {} });
    const nowMs = performance.now();
    const sinceBeatMs = nowMs - this.#lastBeatMs;
    this.#lastBeatMs = nowMs;
    // After a stall of this process the workers' messages are there but not read yet.
    if (sinceBeatMs > this.#options.failureDetectionMs / 2) return;
    for (const { rank, lastHeardMs } of silentMembers(this.#membership, nowMs, this.#options.failureDetectionMs)) {
      this.#lose(rank, `silent for ${((nowMs - lastHeardMs) / 1000).toFixed(1)} s`);
    }
  }

  /** A worker is gone. Before the first step others can take its place; from then on the run ends. */
  #lose(rank: Rank, reason: string): void {
    const member = this.#markLost(rank, reason);
    if (member === null) return;
    if (this.#phase === 'gathering') return this.#options.onWaiting(`${describeMember(member)} was lost: ${reason}`);
    const missing = describeMissing(this.#assignment.get(rank) ?? []);
    this.#options.onFailure(new LockstepError('worker-lost', `${describeMember(member)} was lost: ${reason}${missing}`));
  }

  /** A worker says that it cannot compute this run: neither could another. */
  #fail(rank: Rank, { code, message, hint }: { readonly code: string; readonly message: string; readonly hint: string }): void {
    const member = this.#markLost(rank, message);
    if (member === null) return;
    this.#options.onFailure(new LockstepError(code as ErrorCode, `${describeMember(member)}: ${message}`, hint === '' ? {} : { hint }));
  }

  #markLost(rank: Rank, reason: string): Member | null {
    const member = this.#membership[rank];
    if (member === undefined || member.kind === 'lost' || this.#phase === 'ended') return null;
    this.#membership = withLost(this.#membership, rank, reason);
    this.#tell(rank, 'lost', reason);
    return member;
  }

  #send(rank: Rank, message: CoordinatorMessage): void {
    this.#connections.get(rank)?.send(message);
  }

  #tell(rank: Rank, state: WorkerEvent['state'], reason?: string): void {
    const capabilities = this.#membership[rank]?.capabilities;
    if (capabilities === undefined) return;
    const { hostname, pid, device, gpuKind } = capabilities;
    this.#options.onEvent({ event: 'worker', rank, state, hostname, pid, device: gpuKind ?? device, ...(reason === undefined ? {} : { reason }) });
  }
}

function refuse(connection: WorkerConnection, code: ErrorCode, reason: string): void {
  connection.send({ refusal: { code, reason } });
  connection.end();
}
