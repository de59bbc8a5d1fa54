import { hostname } from 'node:os';
import { assertNever, LockstepError, messageOf, type RunConfig, type ShardsEvent } from '@lockstep/core';
import { cutIntoShards, ShardHost } from '@lockstep/parameter-server';
import { afterHostLoss, hostsForShards, missingReplicas, placeShards, type ShardPlacement } from '@lockstep/scheduling';
import { isCompressed } from '@lockstep/reduction';
import { connectInProcess, type BlockShelf, type FinishedStep, type HostedShardMessage, type HostMessage__Output, type HostPort, type PlacementMessage } from '@lockstep/transport';
import { CoverageRequests } from './coverage-requests.ts';
import { HostGone, ignoreHostGone } from './host-gone.ts';
import { describeHost, HostRegistry, type Host } from './host-registry.ts';
import { ShardGeneration, type FleetPlan } from './shard-generation.ts';
import type { StepCoverage, UnknownCoverage } from './shard-reports.ts';
import type { TrainingState } from './shard-states.ts';

/** Where the shards were, as the journal remembers it. */
export interface KnownPlacement {
  readonly generation: number;
  readonly number: number;
  readonly version: number;
  readonly shards: readonly { readonly host: number; readonly replica: number | null }[];
}

export interface ShardFleetOptions {
  readonly config: RunConfig;
  readonly runId: string;
  readonly token: string;
  readonly nextHost: number;
  readonly known: KnownPlacement | null;
  /** Hosts that were coordinators of this run before: what they held has died with them. */
  readonly formerCoordinators: ReadonlySet<number>;
  readonly shelf: BlockShelf;
  readonly sharedMemory: boolean;
  /** Where a shard of this process listens. */
  readonly listenOn: (generation: number, shard: number) => readonly string[];
  /** The newest checkpoint's state, or null: from the beginning. */
  readonly restore: () => Promise<TrainingState | null>;
  readonly onHostNumber: (host: Host) => void;
  readonly onPlaced: (placement: KnownPlacement) => void;
  /** Where workers find the shards now, and the step that these begin with: null where they just go on. */
  readonly onPlacement: (placement: PlacementMessage, beginsAt: number | null) => void;
  readonly onEvent: (event: ShardsEvent) => void;
  readonly onFinished: (finished: FinishedStep) => void;
  readonly onSnapshot: (state: TrainingState) => void;
  /** The first step that is not recorded yet. */
  readonly nextStep: () => number;
  /** Whether any worker that takes part was heard lately. */
  readonly hearsWorkers: () => boolean;
  readonly onLog: (message: string, level: 'info' | 'warn') => void;
  readonly onFailure: (error: LockstepError) => void;
}

/** After an outage all connect again within so long of each other: the longest wait before an attempt, and the attempt. */
const RECONNECTED_WITHIN_MS = 1500;

/**
 * The shards and the processes that host them: places them, lets a replica take a lost one's place, and has all go back
 * to the last checkpoint where one is lost that has none. Changes happen one after another.
 */
export class ShardFleet {
  readonly #options: ShardFleetOptions;
  readonly #hosts: HostRegistry;
  readonly #here: ShardHost;
  readonly #coverages: CoverageRequests;
  #fixed: FleetPlan | null = null;
  /** Null before the start. */
  #current: ShardGeneration | null = null;
  /** Of the newest placement. */
  #number: number;
  #acknowledged = { stepsBefore: 0, snapshotsBefore: 0 };
  /** What hosts told before the start. */
  #early: (() => void)[] = [];
  #changes: Promise<void> = Promise.resolve();
  #hostsChanged = Promise.withResolvers<void>();
  #isPlaced = false;
  #closed = false;

  constructor(options: ShardFleetOptions) {
    const { config, runId, token, nextHost, known, shelf, listenOn, sharedMemory } = options;
    this.#options = options;
    this.#number = known?.number ?? 0;
    this.#hosts = new HostRegistry({
      runId, token, nextHost, failureDetectionMs: config.failureDetectionMs,
      onNumber: options.onHostNumber,
      onPresent: (host, shards) => this.#onceStarted(() => this.#present(host, shards)),
      onMessage: (host, message) => this.#onceStarted(() => this.#take(host, message)),
      onLeaving: (host) => this.#enqueue(() => this.#handOver(host)),
      onLost: (host, reason, how) => this.#lose(host, reason, how === 'silent'),
    });
    this.#coverages = new CoverageRequests((command) => this.#hosts.broadcast(command));
    this.#here = new ShardHost({
      kind: 'coordinator', hostname: hostname(), listenOn, sharedMemory,
      connect: (events) => connectInProcess(this.#hosts, shelf, events),
      onEnd: () => undefined,
    });
  }

  /** Where processes that host shards join. */
  get port(): HostPort {
    return this.#hosts;
  }

  /** What the shards of the run have in common. */
  get plan(): FleetPlan['plan'] {
    if (this.#fixed === null) throw new Error('the fleet has not started');
    return this.#fixed.plan;
  }

  /** Of the machine that each shard is on, in range order; '' of one whose host is not there. */
  get hostnames(): readonly string[] {
    return this.#generation.places.placements.map(({ primary }) => this.#hosts.get(primary)?.hostname ?? '');
  }

  /** Resolves when so many hosts of a kind are there; tells what it waits for. */
  async gathered(kind: Host['kind'], count: number): Promise<void> {
    let told = -1;
    for (;;) {
      const present = this.#hosts.hosts.filter((host) => host.kind === kind).length;
      if (present >= count) return;
      if (present !== told) this.#options.onLog(`waiting for shard hosts: ${present} of ${count} ${kind === 'server' ? 'parameter servers' : 'workers'} have joined`, 'info');
      told = present;
      await this.#hostsChanged.promise;
    }
  }

  /** Places the shards: where they are still from before, else anew from the newest checkpoint. Hosts that asked to leave before are let go after. */
  async start(fixed: FleetPlan): Promise<void> {
    const { known } = this.#options;
    this.#fixed = fixed;
    await this.#enqueue(async () => {
      if (known !== null && await this.#adopt(known)) return;
      await this.#renew(known === null ? 'the run starts' : 'the run goes on from its last checkpoint');
    });
    for (const host of this.#hosts.hosts) if (host.isLeaving) void this.#enqueue(() => this.#handOver(host));
  }

  /** All shards back to the last checkpoint. */
  rollBack(cause: string): void {
    void this.#enqueue(() => this.#renew(cause));
  }

  /** What the step under way lacks, or why that is not known. */
  async coverage(): Promise<StepCoverage | UnknownCoverage> {
    if (!this.#isPlaced) return { unknown: 'the shards are being placed' };
    const { places } = this.#generation;
    return this.#coverages.ask(places.ranges.length, this.#options.config.failureDetectionMs, (shard) => `shard ${shard} on ${this.#describe(places.primary(shard))}`);
  }

  /** Steps and snapshots before these are recorded for good. */
  acknowledge(stepsBefore: number, snapshotsBefore: number): void {
    this.#acknowledged = { stepsBefore, snapshotsBefore };
    this.#hosts.broadcast({ acknowledge: this.#acknowledged });
  }

  /** Asks for a snapshot of a coming version. */
  snapshotAt(version: number): void {
    this.#hosts.broadcast({ snapshotAt: { version } });
  }

  async close(error: LockstepError | null): Promise<void> {
    this.#closed = true;
    this.#current?.abandon();
    // Whoever resumes the run need not look for shards that are told to end now.
    if (this.#current !== null) this.#options.onPlaced({ ...this.#known(), shards: [] });
    this.#hosts.end(error);
    await this.#here.close();
  }

  /** Before the start there is nothing to change: who is there then is what counts. */
  #enqueue(change: () => Promise<void> | void): Promise<void> {
    this.#changes = this.#changes.then(async () => {
      if (!this.#closed && this.#fixed !== null) await change();
    }).catch((error: unknown) => {
      if (this.#closed) return;
      this.#options.onFailure(error instanceof LockstepError ? error : new LockstepError('protocol', messageOf(error), { cause: error }));
    });
    return this.#changes;
  }

  /** A new generation: all shards from the newest checkpoint, on the hosts that are there now. */
  async #renew(cause: string): Promise<void> {
    for (let why = cause; !this.#closed;) {
      const state = await this.#options.restore();
      try {
        const generation = this.#beginGeneration(state?.version ?? 0);
        await generation.startPrimaries(state);
        return this.#announce(why, generation.startVersion);
      } catch (error) {
        if (!(error instanceof HostGone)) throw error;
        why = error.message;
      }
    }
  }

  #beginGeneration(startVersion: number): ShardGeneration {
    const { config: { shardHosts, shards }, known } = this.#options;
    const hosts = this.#usableHosts();
    const count = shards ?? hostsForShards(hosts, shardHosts).length;
    const number = (this.#current?.number ?? known?.generation ?? 0) + 1;
    this.#isPlaced = false;
    this.#early = [];
    this.#current = this.#createGeneration(number, startVersion, startVersion, placeShards({ hosts, shardHosts, shards: count, replicas: 0 }));
    this.#hosts.broadcast({ drop: { belowGeneration: number, shardNumbers: [] } });
    return this.#current;
  }

  #createGeneration(generation: number, startVersion: number, firstStep: number, placements: readonly ShardPlacement[], orphans: readonly number[] = []): ShardGeneration {
    const { config: { optimizer }, shelf, sharedMemory, onFinished, onSnapshot, onPlaced, onLog } = this.#options;
    if (this.#fixed === null) throw new Error('the fleet has not started');
    const ranges = cutIntoShards(this.#fixed.layout.totalLength, placements.length);
    return new ShardGeneration({
      ...this.#fixed, generation, startVersion, firstStep, ranges, placements, orphans, optimizer, hosts: this.#hosts, shelf, sharedMemory, onFinished, onSnapshot,
      onInSync: (shard) => {
        onLog(`shard ${shard} has a replica in step with it`, 'info');
        onPlaced(this.#known());
      },
      onReplicaLost: (shard, reason) => {
        onLog(`shard ${shard} has lost its replica: ${reason}`, 'warn');
        onPlaced(this.#known());
        setTimeout(() => void this.#enqueue(() => this.#replicate()), this.#options.config.failureDetectionMs).unref();
      },
      onFailed: (host, error) => this.#takeFailure(host, error),
    });
  }

  /** Tells everybody where the shards are; workers begin with a step, or just go on. */
  #announce(cause: string, beginsAt: number | null): void {
    const { onPlaced, onEvent, onPlacement, nextStep, token } = this.#options;
    const { number: generation, places } = this.#generation;
    const shards = [...places.endpoints];
    this.#number += 1;
    this.#isPlaced = true;
    this.#introducePeers();
    onPlaced(this.#known());
    onEvent({ event: 'shards', generation, version: beginsAt ?? nextStep(), cause, hosts: places.placements.map(({ primary }) => this.#describe(primary)) });
    onPlacement({ number: this.#number, generation, shards, token, relayAddresses: [] }, beginsAt);
    void this.#enqueue(() => this.#replicate());
  }

  #known(): KnownPlacement {
    const { number: generation, startVersion: version, places } = this.#generation;
    return { generation, number: this.#number, version, shards: places.safePlacements.map(({ primary, replica }) => ({ host: primary, replica })) };
  }

  /** Gives every shard its replica that has none, where there is a host for it. */
  async #replicate(): Promise<void> {
    const { config: { shardHosts, replicas } } = this.#options;
    if (!this.#isPlaced) return;
    const generation = this.#generation;
    for (const { shard, host } of missingReplicas(generation.places.placements, this.#usableHosts(), shardHosts, replicas)) {
      await generation.startReplica(shard, host).catch(ignoreHostGone);
    }
  }

  /** What hosts tell before the start counts where their shards are taken over. */
  #onceStarted(take: () => void): void {
    if (this.#current === null) this.#early.push(take);
    else take();
    this.#noteHosts();
  }

  #noteHosts(): void {
    this.#hostsChanged.resolve();
    this.#hostsChanged = Promise.withResolvers();
  }

  #present(host: Host, shards: readonly HostedShardMessage[]): void {
    if (this.#hosts.get(host.host) === undefined) return;
    this.#generation.present(host, shards);
    if (!this.#isPlaced) return;
    this.#introducePeers();
    this.#hosts.send(host.host, { acknowledge: this.#acknowledged });
    void this.#enqueue(() => this.#replicate());
  }

  /** Tells the shards where the others are, once all are there. */
  #introducePeers(): void {
    const { number: generation, places } = this.#generation;
    if (places.isWholeWith([])) this.#hosts.broadcast({ peers: { generation, shards: [...places.endpoints] } });
  }

  #take(host: Host, message: HostMessage__Output): void {
    if (message.coverage) this.#coverages.take(message.coverage, this.#generation.number, this.#generation.untold);
    else if (message.note) this.#options.onLog(`${describeHost(host)}: ${message.note.message}`, message.note.level === 'warn' ? 'warn' : 'info');
    else this.#generation.take(host, message);
  }

  /** A shard that cannot be held by any host ends the run; one whose thread broke is a lost one. */
  #takeFailure(host: Host, error: LockstepError): void {
    if (error.exitCode === 2) return this.#options.onFailure(error);
    this.#generation.forsake(host.host, error.message);
    void this.#enqueue(() => this.#replace(host.host, error.message));
  }

  #lose(host: Host, reason: string, isSilent: boolean): void {
    const what = `${describeHost(host)} was lost: ${reason}`;
    this.#current?.forsake(host.host, what);
    this.#noteHosts();
    void this.#enqueue(async () => {
      if (!(await this.#comesBack(host.host, isSilent))) await this.#replace(host.host, what);
      else if (!this.#generation.places.hasAllOf(host.host)) this.#dropReplicasOn(host.host);
    });
  }

  /**
   * A broken connection may be mended at once, and a shard without a replica is worth a moment's wait. Where a host falls silent and
   * no worker is heard either, it is most likely this process that is cut off: nobody could make a step, so nothing is lost by
   * waiting for somebody.
   */
  async #comesBack(host: number, isSilent: boolean): Promise<boolean> {
    const { places } = this.#generation;
    if (places.hasAllOf(host)) return true;
    const shards = places.primariesOn(host);
    if (shards.length === 0 || shards.every((shard) => places.canPromote(shard))) return false;
    const isBack = (): boolean => places.hasPrimariesOf(host);
    for (let wasCutOff = false; ; wasCutOff = true) {
      if (await this.#until(isBack, this.#options.config.failureDetectionMs / 4)) return true;
      if (this.#closed || !isSilent || this.#options.hearsWorkers()) return wasCutOff && this.#until(isBack, RECONNECTED_WITHIN_MS);
    }
  }

  async #until(holds: () => boolean, timeoutMs: number): Promise<boolean> {
    const deadline = AbortSignal.timeout(timeoutMs);
    const late = new Promise<void>((resolve) => deadline.addEventListener('abort', () => resolve(), { once: true }));
    while (!holds() && !deadline.aborted && !this.#closed) await Promise.race([this.#hostsChanged.promise, late]);
    return holds();
  }

  /** What becomes of the shards of a lost host. */
  async #replace(host: number, cause: string): Promise<void> {
    const { places } = this.#generation;
    const decision = afterHostLoss(places.placements, host, (shard) => places.canPromote(shard));
    switch (decision.kind) {
      case 'keep': return this.#dropReplicasOn(host);
      case 'promote': {
        this.#dropReplicasOn(host);
        for (const shard of decision.shards) this.#generation.promote(shard);
        return this.#announce(`${cause}; its replica takes over`, null);
      }
      case 'rollback': return this.#renew(cause);
      default: return assertNever(decision);
    }
  }

  #dropReplicasOn(host: number): void {
    for (const shard of this.#generation.dropReplicasOn(host)) this.#options.onLog(`shard ${shard} has lost its replica: it was on ${this.#describe(host)}`, 'warn');
    void this.#enqueue(() => this.#replicate());
  }

  /** A host that leaves in order gives its shards to others, which copy them first; nothing is lost. */
  async #handOver(host: Host): Promise<void> {
    try {
      this.#dropReplicasOn(host.host);
      const shards = this.#generation.places.primariesOn(host.host);
      for (const shard of shards) await this.#copyElsewhere(shard, host.host);
      for (const shard of shards) this.#generation.promote(shard);
      if (shards.length > 0) this.#announce(`${describeHost(host)} leaves`, null);
      this.#hosts.release(host.host);
    } catch (error) {
      ignoreHostGone(error);
      // Another host is gone, not this one: it is tried again once what was lost there is somewhere else.
      if (this.#hosts.get(host.host) !== undefined) void this.#enqueue(() => this.#handOver(host));
    }
  }

  /** Sees to it that the shard has a replica that can take over, on another host. */
  async #copyElsewhere(shard: number, from: number): Promise<void> {
    const { config: { shardHosts } } = this.#options;
    if (this.#generation.places.canPromote(shard)) return;
    const [target] = placeShards({ hosts: this.#usableHosts().filter(({ host }) => host !== from), shardHosts, shards: 1, replicas: 0 });
    if (target === undefined) throw new Error('there is always the coordinator');
    await this.#generation.copyTo(shard, target.primary);
  }

  /**
   * After a restart: the shards are where they were, or where their replicas are, when all these hosts come back in time. What workers hold back of
   * compressed gradients is known only to the coordinator that gave it out.
   */
  async #adopt(known: KnownPlacement): Promise<boolean> {
    const { config, nextStep, formerCoordinators } = this.#options;
    if (known.shards.length === 0 || isCompressed(config.wire) || (config.shards !== null && config.shards !== known.shards.length)) return false;
    const placements = known.shards.map(({ host, replica }) => ({ primary: host, replica }));
    const orphans = placements.flatMap(({ primary }, shard) => (formerCoordinators.has(primary) ? [shard] : []));
    if (orphans.some((shard) => placements[shard]?.replica === null)) return false;
    const generation = this.#createGeneration(known.generation, known.version, nextStep(), placements, orphans);
    this.#current = generation;
    for (const take of this.#early.splice(0)) take();
    if (!(await this.#until(() => generation.places.isWholeWith(orphans), 2 * config.failureDetectionMs))) return false;
    for (const shard of orphans) generation.promote(shard);
    this.#announce(orphans.length === 0 ? 'the coordinator is back' : 'the coordinator is back: replicas take over what it held', nextStep());
    return true;
  }

  #usableHosts(): readonly Host[] {
    return this.#hosts.hosts.filter(({ isLeaving }) => !isLeaving);
  }

  #describe(host: number): string {
    const present = this.#hosts.get(host);
    return present === undefined ? `shard host ${host}` : describeHost(present);
  }

  get #generation(): ShardGeneration {
    if (this.#current === null) throw new Error('the fleet has not started');
    return this.#current;
  }
}
