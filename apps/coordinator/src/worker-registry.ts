import { LockstepError, rankOf, type Capabilities, type ConfigBundle, type ErrorCode, type Numerics, type Rank, type RunConfig, type WorkerEvent } from '@lockstep/core';
import {
  activeRanks, chooseNumerics, decideStart, describeMember, memberOf, presentMembers, refusalOf, silentMembers,
  withActive, withAllHeard, withLeaving, withLeft, withLost, withRejoined, type Member, type Membership,
} from '@lockstep/scheduling';
import { PROTOCOL_VERSION, type BlockReference, type BlockReference__Output, type CoordinatorMessage, type EvaluationPartMessage, type FinishedStep, type MembershipPort, type ModelReadyMessage, type PlacementMessage, type RelayReadyMessage, type WorkerConnection, type WorkerMessage__Output } from '@lockstep/transport';
import { ModelAgreement, type BuiltModel } from './model-agreement.ts';

/** What every worker is told of the run when it joins. */
export interface RunTerms {
  readonly config: RunConfig;
  readonly bundle: ConfigBundle | null;
  readonly dataset: Required<BlockReference>;
}

/** What is known of the run before its workers come: nothing of a new one but its name. */
export interface KnownRun {
  readonly runId: string;
  /** The next rank to give; ranks are never given twice. */
  readonly nextRank: number;
  readonly model: (BuiltModel & { readonly numerics: Numerics }) | null;
}

export interface WorkerRegistryOptions {
  readonly known: KnownRun;
  readonly minWorkers: number;
  readonly failureDetectionMs: number;
  readonly numerics: RunConfig['numerics'];
  readonly onEvent: (event: WorkerEvent) => void;
  readonly onWaiting: (reason: string) => void;
  readonly onPart: (part: EvaluationPartMessage) => void;
  readonly onFrozen: (rank: Rank, values: BlockReference__Output) => void;
  /** A rank was given for the first time. */
  readonly onRank: (rank: Rank, capabilities: Capabilities) => void;
  /** The members that take part are others now; `lost` is one that will not finish what it had. */
  readonly onChange: (change: { readonly joined: Rank } | { readonly leaving: Rank } | { readonly lost: Rank }) => void;
  /** The placement as the workers of a machine are to follow it. */
  readonly routed: (placement: PlacementMessage, hostname: string) => PlacementMessage;
  readonly onRelay: (rank: Rank, ready: RelayReadyMessage) => void;
  /** The workers cannot compute this run: it ends. */
  readonly onFailure: (error: LockstepError) => void;
}

/** Why a worker's own failure is its alone: another may well go on. */
const FAILURES_OF_ONE: ReadonlySet<string> = new Set<ErrorCode>(['connection', 'worker-lost', 'deadline', 'aborted', 'protocol', 'storage']);

/** The run's workers: who has joined, on what terms, who is alive. Decisions are `@lockstep/scheduling`'s. */
export class WorkerRegistry implements MembershipPort {
  readonly #options: WorkerRegistryOptions;
  readonly #connections = new Map<Rank, WorkerConnection>();
  readonly #ranks = new Map<WorkerConnection, Rank>();
  /** The step that each worker said it is at. */
  readonly #steps = new Map<Rank, number>();
  readonly #started = Promise.withResolvers<BuiltModel>();
  readonly #model: ModelAgreement;
  readonly #watch: NodeJS.Timeout;
  #membership: Membership = [];
  /** Who spoke, and when, since the membership was looked at last. */
  readonly #heardMs = new Map<Rank, number>();
  /** Who took part in a step since the last heartbeats. */
  readonly #attested = new Set<Rank>();
  #nextRank: number;
  #terms: RunTerms | null = null;
  #numerics: Numerics | null;
  #placement: PlacementMessage | null = null;
  #lastBeatMs = performance.now();
  #phase: 'gathering' | 'training' | 'ended' = 'gathering';
  /** What whoever still comes is told once the run has ended. */
  #farewell: CoordinatorMessage | null = null;

  constructor(options: WorkerRegistryOptions) {
    const { known, failureDetectionMs } = options;
    this.#options = options;
    this.#nextRank = known.nextRank;
    this.#numerics = known.model?.numerics ?? null;
    this.#model = new ModelAgreement(known.model);
    this.#started.promise.catch(() => undefined);
    this.#watch = setInterval(() => this.#beat(), failureDetectionMs / 4);
  }

  /** Resolves when enough workers have built the model, all the same. */
  get started(): Promise<BuiltModel> {
    return this.#started.promise;
  }

  get numerics(): Numerics {
    if (this.#numerics === null) throw new Error('the numerics are not fixed yet');
    return this.#numerics;
  }

  get membership(): Membership {
    this.#noteHeard();
    return this.#membership;
  }

  /** The members that take part, in rank order. */
  get ranks(): readonly Rank[] {
    return activeRanks(this.#membership);
  }

  /** Whether any member that takes part was heard within half the detection time: twice as long as they are silent at most. */
  get hearsAny(): boolean {
    const sinceMs = performance.now() - this.#options.failureDetectionMs / 2;
    return this.membership.some(({ kind, lastHeardMs }) => kind === 'active' && lastHeardMs >= sinceMs);
  }

  /** The least step that a member which takes part said it is at; 0 where there is none. */
  get leastStep(): number {
    const steps = this.ranks.map((rank) => this.#steps.get(rank) ?? 0);
    return steps.length === 0 ? 0 : Math.min(...steps);
  }

  /** Welcomes the workers, those that wait and those to come, on these terms. */
  open(terms: RunTerms): void {
    this.#terms = terms;
    if (this.#numerics === null) this.#fixNumerics();
    else for (const { rank } of presentMembers(this.#membership)) this.#welcome(rank);
  }

  /** Tells the workers, now and those to come, where the shards are; those that leave too, which still have a part of the step. */
  announce(placement: PlacementMessage): void {
    this.#placement = placement;
    for (const { rank } of this.#computing) this.#place(rank);
  }

  /** Tells the workers of one machine again where the shards are: how they are to be reached has changed. */
  reroute(hostname: string): void {
    for (const { rank, capabilities } of this.#computing) if (capabilities.hostname === hostname) this.#place(rank);
  }

  send(rank: Rank, message: CoordinatorMessage): void {
    this.#connections.get(rank)?.send(message);
  }

  /** Lets a worker that wanted to leave go. */
  release(rank: Rank): void {
    const member = memberOf(this.#membership, rank);
    if (member?.kind !== 'leaving') return;
    this.#membership = withLeft(this.#membership, rank);
    this.#tell(member, 'left');
    this.#close(rank, { finish: {} });
  }

  /** Ends every worker's part: in order, or because of an error. */
  end(error: LockstepError | null): void {
    if (this.#phase === 'ended') return;
    this.#phase = 'ended';
    clearInterval(this.#watch);
    this.#farewell = error === null ? { finish: {} } : { refusal: { code: error.code, reason: error.message } };
    for (const [connection] of this.#ranks) dismiss(connection, this.#farewell);
  }

  /** Whoever took part in a step lives, and has the version before it: that is as good as heartbeats there and back. */
  finished({ step, workers }: FinishedStep): void {
    const nowMs = performance.now();
    for (const rank of workers.map((share) => rankOf(share.rank))) {
      this.#heardMs.set(rank, nowMs);
      this.#attested.add(rank);
      this.#steps.set(rank, Math.max(step, this.#steps.get(rank) ?? 0));
    }
  }

  message(connection: WorkerConnection, message: WorkerMessage__Output): void {
    const rank = this.#ranks.get(connection);
    if (rank !== undefined) this.#heardMs.set(rank, performance.now());
    if (message.hello) this.#admit(connection, message.hello);
    else if (rank === undefined) refuse(connection, 'protocol', 'a worker must say hello first');
    else if (message.modelReady) this.#takeModel(rank, message.modelReady);
    else if (message.evaluationPart) this.#options.onPart(message.evaluationPart);
    else if (message.frozenValues) this.#options.onFrozen(rank, message.frozenValues);
    else if (message.heartbeat) this.#steps.set(rank, message.heartbeat.step);
    else if (message.relayReady) this.#options.onRelay(rank, message.relayReady);
    else if (message.leave) this.#leave(rank);
    else if (message.failure) this.#fail(rank, message.failure);
  }

  ended(connection: WorkerConnection): void {
    const rank = this.#ranks.get(connection);
    this.#ranks.delete(connection);
    if (rank !== undefined && this.#connections.get(rank) === connection) this.#lose(rank, 'its connection broke');
  }

  #admit(connection: WorkerConnection, { protocolVersion, capabilities: stated, rejoin }: NonNullable<WorkerMessage__Output['hello']>): void {
    const { runId } = this.#options.known;
    if (this.#farewell !== null) return dismiss(connection, this.#farewell);
    if (protocolVersion !== PROTOCOL_VERSION) return refuse(connection, 'protocol', `it speaks version ${protocolVersion} of the protocol, expected ${PROTOCOL_VERSION}`);
    if (this.#ranks.has(connection)) return refuse(connection, 'protocol', 'it said hello before');
    if (stated === null) return refuse(connection, 'protocol', 'it does not say what it can do');
    if (rejoin !== null && rejoin.runId !== runId) return refuse(connection, 'usage', 'it belongs to another run than the one that is coordinated here now');
    if (rejoin !== null && rejoin.rank >= this.#nextRank) return refuse(connection, 'protocol', `rank ${rejoin.rank} was never given`);
    const capabilities = { ...stated, gpuKind: stated.gpuKind || null } as Capabilities;
    const reason = this.#numerics === null ? null : refusalOf(this.#numerics, capabilities);
    if (reason !== null) return refuse(connection, 'numerics', reason);
    this.#join(connection, rejoin === null ? this.#giveRank(capabilities) : rankOf(rejoin.rank), capabilities);
  }

  #giveRank(capabilities: Capabilities): Rank {
    const rank = rankOf(this.#nextRank);
    this.#nextRank += 1;
    this.#options.onRank(rank, capabilities);
    return rank;
  }

  /** A rank that comes back by a new connection has given the old one up. */
  #join(connection: WorkerConnection, rank: Rank, capabilities: Capabilities): void {
    const before = this.#connections.get(rank);
    if (before !== undefined) this.#ranks.delete(before);
    before?.end();
    this.#heardMs.delete(rank);
    this.#membership = withRejoined(this.#membership, rank, capabilities, performance.now());
    this.#connections.set(rank, connection);
    this.#ranks.set(connection, rank);
    this.#tell(memberOf(this.#membership, rank), 'joined');
    if (this.#numerics === null) this.#fixNumerics();
    else this.#welcome(rank);
  }

  /** Once for the run, from what the workers that must be there can do. */
  #fixNumerics(): void {
    const present = presentMembers(this.#membership);
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
    this.#heardMs.set(rank, performance.now());
    this.send(rank, {
      welcome: {
        rank, configJson: JSON.stringify(config), numericsJson: JSON.stringify(this.#numerics), dataset,
        modelBundle: bundle?.source ?? '', modelBundleSha256: bundle?.sha256 ?? '', runId: this.#options.known.runId,
      },
    });
  }

  #takeModel(rank: Rank, message: ModelReadyMessage): void {
    const model = this.#model.take(rank, message);
    if (typeof model === 'string') return this.#fail(rank, { code: 'config', message: model, hint: '' });
    this.#membership = withActive(this.#membership, rank);
    this.#tell(memberOf(this.#membership, rank), 'training');
    this.#place(rank);
    this.#decideStart(model);
    this.#options.onChange({ joined: rank });
  }

  /** Who has built the model and may have a part of a step. */
  get #computing(): readonly Member[] {
    return this.#membership.filter(({ kind }) => kind === 'active' || kind === 'leaving');
  }

  #place(rank: Rank): void {
    const member = memberOf(this.#membership, rank);
    if (this.#placement === null || member === undefined) return;
    this.send(rank, { placement: this.#options.routed(this.#placement, member.capabilities.hostname) });
  }

  #decideStart(model: BuiltModel): void {
    if (this.#phase !== 'gathering') return;
    const decision = decideStart(this.#membership, this.#options.minWorkers);
    if (decision.kind === 'wait') return;
    this.#phase = 'training';
    this.#started.resolve(model);
  }

  #leave(rank: Rank): void {
    this.#membership = withLeaving(this.#membership, rank);
    this.#options.onChange({ leaving: rank });
  }

  #beat(): void {
    // A worker that was not welcomed does not know how often to speak; its broken connection would tell.
    if (this.#numerics === null || this.#terms === null) return;
    for (const [connection, rank] of this.#ranks) if (!this.#attested.has(rank)) connection.send({ heartbeat: {} });
    this.#attested.clear();
    const nowMs = performance.now();
    const sinceBeatMs = nowMs - this.#lastBeatMs;
    this.#lastBeatMs = nowMs;
    // After a stall of this process the workers' messages are there but not read yet.
    if (sinceBeatMs > this.#options.failureDetectionMs / 2) return;
    this.#noteHeard();
    for (const { rank, lastHeardMs } of silentMembers(this.#membership, nowMs, this.#options.failureDetectionMs)) {
      this.#lose(rank, `silent for ${((nowMs - lastHeardMs) / 1000).toFixed(1)} s`);
    }
  }

  #noteHeard(): void {
    this.#membership = withAllHeard(this.#membership, this.#heardMs);
    this.#heardMs.clear();
  }

  /** A worker is gone, for now or for good; others take its part over. */
  #lose(rank: Rank, reason: string): void {
    const member = this.#markLost(rank, reason);
    if (member === null) return;
    if (this.#phase === 'gathering') this.#options.onWaiting(`${describeMember(member)} was lost: ${reason}`);
    this.#options.onChange({ lost: rank });
  }

  #fail(rank: Rank, { code, message, hint }: { readonly code: string; readonly message: string; readonly hint: string }): void {
    if (FAILURES_OF_ONE.has(code)) return this.#lose(rank, message);
    const member = this.#markLost(rank, message);
    if (member === null) return;
    this.#options.onFailure(new LockstepError(code as ErrorCode, `${describeMember(member)}: ${message}`, hint === '' ? {} : { hint }));
  }

  #markLost(rank: Rank, reason: string): Member | null {
    const member = memberOf(this.#membership, rank);
    if (member === undefined || member.kind === 'lost' || member.kind === 'left' || this.#phase === 'ended') return null;
    this.#membership = withLost(this.#membership, rank, reason, performance.now());
    this.#tell(member, 'lost', reason);
    this.#close(rank, null);
    return member;
  }

  #close(rank: Rank, last: CoordinatorMessage | null): void {
    const connection = this.#connections.get(rank);
    if (connection === undefined) return;
    this.#connections.delete(rank);
    this.#ranks.delete(connection);
    if (last !== null) connection.send(last);
    connection.end();
  }

  #tell(member: Member | undefined, state: WorkerEvent['state'], reason?: string): void {
    if (member === undefined) return;
    const { hostname, pid, device, gpuKind } = member.capabilities;
    this.#options.onEvent({ event: 'worker', rank: member.rank, state, hostname, pid, device: gpuKind ?? device, ...(reason === undefined ? {} : { reason }) });
  }
}

function refuse(connection: WorkerConnection, code: ErrorCode, reason: string): void {
  dismiss(connection, { refusal: { code, reason } });
}

function dismiss(connection: WorkerConnection, farewell: CoordinatorMessage): void {
  connection.send(farewell);
  connection.end();
}
