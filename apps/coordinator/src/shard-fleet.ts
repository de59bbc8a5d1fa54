import { assertNever, bytesOf, LockstepError, messageOf, type ErrorCode, type ParameterLayout, type RunConfig, type ShardsEvent } from '@lockstep/core';
import { cutIntoShards, ShardHost, slotNames, type ShardPlan } from '@lockstep/parameter-server';
import { afterHostLoss, missingReplicas, placeShards } from '@lockstep/scheduling';
import { connectInProcess, type BlockShelf, type FinishedStep, type HostedShardMessage, type HostMessage__Output, type HostPort, type PlacementMessage, type ShardEndpoint__Output } from '@lockstep/transport';
import { AwaitedHosts } from './awaited-hosts.ts';
import { CoverageRequests } from './coverage-requests.ts';
import { describeHost, HostRegistry, type Host } from './host-registry.ts';
import { HostGone, ignoreHostGone } from './host-gone.ts';
import { ShardPlaces } from './shard-places.ts';
import { ShardReports, type StepCoverage } from './shard-reports.ts';
import { cutState, joinStates, type StateCut, type TrainingState } from './shard-states.ts';
import { reachableAddress } from './reachable-address.ts';

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
  readonly onLog: (message: string, level: 'info' | 'warn') => void;
  readonly onFailure: (error: LockstepError) => void;
}

/** What does not change from one generation of shards to the next. */
export interface FleetPlan {
  readonly plan: Omit<ShardPlan, 'range' | 'shard' | 'shards'>;
  readonly layout: ParameterLayout;
}

/**
 * The shards and the processes that host them: places them, lets a replica take a lost one's place, and has all go back
 * to the last checkpoint where one is lost that has none. Changes happen one after another.
 */
export class ShardFleet {
  readonly #options: ShardFleetOptions;
  readonly #hosts: HostRegistry;
  readonly #here: ShardHost;
  readonly #coverages: CoverageRequests;
  /** Shards that were started and do not listen yet. */
  readonly #started = new AwaitedHosts<ShardEndpoint__Output>();
  /** Replicas that are to take over and have not all that their primaries have. */
  readonly #synced = new AwaitedHosts<void>();
  #fixed: FleetPlan | null = null;
  #places = new ShardPlaces([], []);
  #reports: ShardReports | null = null;
  #generation: number;
  #number: number;
  /** The version that this generation began with. */
  #startVersion: number;
  /** What hosts told before the start. */
  #early: (() => void)[] = [];
  #changes: Promise<void> = Promise.resolve();
  #hostsChanged = Promise.withResolvers<void>();
  #isPlaced = false;
  #closed = false;

  constructor(options: ShardFleetOptions) {
    const { config, runId, token, nextHost, known, shelf, listenOn, sharedMemory } = options;
    this.#options = options;
    this.#generation = known?.generation ?? 0;
    this.#number = known?.number ?? 0;
    this.#startVersion = known?.version ?? 0;
    this.#hosts = new HostRegistry({
      runId, token, nextHost, failureDetectionMs: config.failureDetectionMs,
      onNumber: options.onHostNumber,
      onPresent: (host, shards) => this.#onceStarted(() => this.#present(host, shards)),
      onMessage: (host, message) => this.#onceStarted(() => this.#take(host, message)),
      onLeaving: (host) => this.#enqueue(() => this.#handOver(host)),
      onLost: (host, reason) => this.#lose(host, reason),
    });
    this.#coverages = new CoverageRequests((command) => this.#hosts.broadcast(command));
    this.#here = new ShardHost({
      kind: 'coordinator', hostname: 'coordinator', listenOn, sharedMemory,
      connect: (events) => connectInProcess(this.#hosts, shelf, events),
      onEnd: () => undefined,
    });
  }

  /** Where processes that host shards join. */
  get port(): HostPort {
    return this.#hosts;
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

  /** Places the shards: where they are still from before, else anew from the newest checkpoint. */
  async start(fixed: FleetPlan): Promise<void> {
    const { known } = this.#options;
    this.#fixed = fixed;
    await this.#enqueue(async () => {
      if (known !== null && await this.#adopt(known)) return;
      await this.#renew(known === null ? 'the run starts' : 'the run goes on from its last checkpoint');
    });
  }

  /** All shards back to the last checkpoint. */
  rollBack(cause: string): void {
    void this.#enqueue(() => this.#renew(cause));
  }

  /** What the step under way lacks; null where the shards are not placed or do not answer in time. */
  async coverage(): Promise<StepCoverage | null> {
    return this.#isPlaced ? this.#coverages.ask(this.#places.ranges.length, this.#options.config.failureDetectionMs) : null;
  }

  /** Steps and snapshots before these are recorded for good. */
  acknowledge(stepsBefore: number, snapshotsBefore: number): void {
    this.#hosts.broadcast({ acknowledge: { stepsBefore, snapshotsBefore } });
  }

  /** Asks for a snapshot of a coming version. */
  snapshotAt(version: number): void {
    this.#hosts.broadcast({ snapshotAt: { version } });
  }

  async close(error: LockstepError | null): Promise<void> {
    this.#closed = true;
    this.#started.forsake(null, 'the run ends');
    this.#synced.forsake(null, 'the run ends');
    this.#hosts.end(error);
    await this.#here.close();
  }

  /** Before the start there is nothing to change: who is there then is what counts. */
  #enqueue(change: () => Promise<void>): Promise<void> {
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
      this.#beginGeneration(state?.version ?? 0);
      try {
        await Promise.all(this.#places.placements.map(({ primary }, shard) => this.#startShard(primary, shard, 'primary', state)));
        return this.#announce(why, this.#startVersion);
      } catch (error) {
        if (!(error instanceof HostGone)) throw error;
        why = error.message;
      }
    }
  }

  #beginGeneration(startVersion: number): void {
    const { config: { shardHosts, shards } } = this.#options;
    const hosts = this.#usableHosts();
    this.#isPlaced = false;
    this.#early = [];
    this.#generation += 1;
    this.#startVersion = startVersion;
    const count = shards ?? Math.max(1, hosts.filter(({ kind }) => (shardHosts as readonly string[]).includes(kind === 'coordinator' ? kind : `${kind}s`)).length);
    this.#places = new ShardPlaces(cutIntoShards(this.#plan.layout.totalLength, count), placeShards({ hosts, shardHosts, shards: count, replicas: 0 }));
    this.#reports = this.#createReports(startVersion);
    this.#hosts.broadcast({ drop: { belowGeneration: this.#generation, shardNumbers: [] } });
  }

  #createReports(firstStep: number): ShardReports {
    const { config, shelf, onFinished, onSnapshot } = this.#options;
    const { ranges } = this.#places;
    const cut: StateCut = { layout: this.#plan.layout, ranges, slotNames: slotNames(config.optimizer) };
    return new ShardReports(ranges.length, firstStep, shelf, {
      finished: onFinished,
      snapshot: (version, states) => onSnapshot(joinStates(version, states, cut)),
    });
  }

  /** Has a host start a shard; resolves when it listens, rejects with HostGone when the host is lost before. */
  async #startShard(host: number, shard: number, role: 'primary' | 'replica', state: TrainingState | null): Promise<ShardEndpoint__Output> {
    const { shelf, sharedMemory } = this.#options;
    const present = this.#hosts.get(host);
    if (present === undefined) throw new HostGone(`shard host ${host} was lost`);
    const range = this.#places.range(shard);
    const plan: ShardPlan = { ...this.#plan.plan, range, shard, shards: this.#places.ranges.length };
    const start = state === null ? null : shelf.put(bytesOf(cutState(state, this.#plan.layout, range)));
    const listening = this.#started.await(host, this.#keyOf(host, shard));
    this.#hosts.send(host, {
      startShard: { generation: this.#generation, shard, role, planJson: JSON.stringify(plan), start, startVersion: this.#startVersion, sharedMemory },
    });
    try {
      return await listening;
    } finally {
      if (start !== null) shelf.remove(start.sha256);
    }
  }

  /** Tells everybody where the shards are; workers begin with a step, or just go on. */
  #announce(cause: string, beginsAt: number | null): void {
    const { onPlaced, onEvent, onPlacement, nextStep, token } = this.#options;
    const shards = [...this.#places.endpoints];
    const hosts = this.#places.placements.map(({ primary }) => this.#describe(primary));
    this.#number += 1;
    this.#isPlaced = true;
    this.#hosts.broadcast({ peers: { generation: this.#generation, shards } });
    onPlaced(this.#known());
    onEvent({ event: 'shards', generation: this.#generation, version: beginsAt ?? nextStep(), cause, hosts });
    onPlacement({ number: this.#number, generation: this.#generation, shards, token }, beginsAt);
    void this.#enqueue(() => this.#replicate());
  }

  #known(): KnownPlacement {
    const shards = this.#places.placements.map(({ primary, replica }) => ({ host: primary, replica }));
    return { generation: this.#generation, number: this.#number, version: this.#startVersion, shards };
  }

  /** Gives every shard its replica that has none, where there is a host for it. */
  async #replicate(): Promise<void> {
    const { config: { shardHosts, replicas } } = this.#options;
    if (!this.#isPlaced) return;
    for (const { shard, host } of missingReplicas(this.#places.placements, this.#usableHosts(), shardHosts, replicas)) {
      await this.#startReplica(shard, host).catch(ignoreHostGone);
    }
  }

  async #startReplica(shard: number, host: number): Promise<void> {
    this.#places.setReplica(shard, host);
    const endpoint = await this.#startShard(host, shard, 'replica', null);
    this.#hosts.send(this.#places.primary(shard), { replicate: { generation: this.#generation, shard, to: endpoint } });
  }

  /** What hosts tell before the start counts where their shards are taken over. */
  #onceStarted(take: () => void): void {
    if (this.#reports === null) this.#early.push(take);
    else take();
    this.#noteHosts();
  }

  #noteHosts(): void {
    this.#hostsChanged.resolve();
    this.#hostsChanged = Promise.withResolvers();
  }

  #present(host: Host, shards: readonly HostedShardMessage[]): void {
    if (this.#hosts.get(host.host) === undefined) return;
    const strays = shards.filter((hosted) => hosted.generation === this.#generation && !this.#locate(host.host, hosted.shard, hosted)).map(({ shard }) => shard);
    this.#hosts.send(host.host, { drop: { belowGeneration: this.#generation, shardNumbers: strays } });
    if (this.#isPlaced) void this.#enqueue(() => this.#replicate());
  }

  #locate(host: number, shard: number, { unixAddress, tcpAddress }: Pick<HostedShardMessage, 'unixAddress' | 'tcpAddress'>): boolean {
    return this.#places.locate(host, shard, { unixAddress, tcpAddress: reachableAddress(tcpAddress, this.#hosts.peerOf(host)) });
  }

  #take(host: Host, message: HostMessage__Output): void {
    if (message.shardReady) this.#takeReady(host.host, message.shardReady);
    else if (message.stepsFinished) this.#takeSteps(message.stepsFinished);
    else if (message.snapshot) this.#takeSnapshot(message.snapshot);
    else if (message.coverage) this.#coverages.take(message.coverage, this.#generation);
    else if (message.replicaState) this.#takeReplicaState(message.replicaState);
    else if (message.shardFailed) this.#takeFailure(host, message.shardFailed);
    else if (message.note) this.#options.onLog(`${describeHost(host)}: ${message.note.message}`, message.note.level === 'warn' ? 'warn' : 'info');
  }

  #takeReady(host: number, ready: NonNullable<HostMessage__Output['shardReady']>): void {
    if (ready.generation !== this.#generation || !this.#locate(host, ready.shard, ready)) return;
    const isPrimary = this.#places.primary(ready.shard) === host;
    const endpoint = isPrimary ? this.#places.endpoints.find(({ from }) => from === this.#places.range(ready.shard).from) : this.#places.replicaEndpoint(ready.shard);
    if (endpoint) this.#started.resolve(this.#keyOf(host, ready.shard), endpoint);
  }

  #takeSteps({ generation, shard, steps }: NonNullable<HostMessage__Output['stepsFinished']>): void {
    if (generation === this.#generation) this.#reports?.takeSteps(shard, steps);
  }

  #takeSnapshot({ generation, shard, version, state }: NonNullable<HostMessage__Output['snapshot']>): void {
    if (generation === this.#generation) this.#reports?.takeSnapshot(shard, version, state);
    else this.#options.shelf.take(state?.sha256 ?? '');
  }

  #takeReplicaState({ generation, shard, inSync, reason }: NonNullable<HostMessage__Output['replicaState']>): void {
    const replica = generation === this.#generation ? this.#places.setInSync(shard, inSync) : null;
    if (replica === null) return;
    if (inSync) {
      this.#synced.resolve(this.#keyOf(replica, shard), undefined);
      this.#options.onLog(`shard ${shard} has a replica in step with it`, 'info');
      return this.#options.onPlaced(this.#known());
    }
    this.#synced.reject(this.#keyOf(replica, shard), reason);
    this.#options.onLog(`shard ${shard} has lost its replica: ${reason}`, 'warn');
    this.#hosts.send(replica, { drop: { belowGeneration: generation, shardNumbers: [shard] } });
    this.#places.dropReplica(shard);
    setTimeout(() => void this.#enqueue(() => this.#replicate()), this.#options.config.failureDetectionMs).unref();
  }

  /** A shard that cannot be held by any host ends the run; one whose thread broke is a lost one. */
  #takeFailure(host: Host, { generation, shard, failure }: NonNullable<HostMessage__Output['shardFailed']>): void {
    if (generation !== this.#generation) return;
    const error = new LockstepError((failure?.code ?? 'protocol') as ErrorCode, `shard ${shard} on ${describeHost(host)}: ${failure?.message ?? 'failed'}`, failure?.hint ? { hint: failure.hint } : {});
    if (error.exitCode === 2) return this.#options.onFailure(error);
    this.#forsake(host.host, error.message);
    void this.#enqueue(() => this.#replace(host.host, error.message));
  }

  #lose(host: Host, reason: string): void {
    const what = `${describeHost(host)} was lost: ${reason}`;
    this.#forsake(host.host, what);
    this.#noteHosts();
    void this.#enqueue(async () => {
      if (!(await this.#comesBack(host.host))) await this.#replace(host.host, what);
    });
  }

  /** Whoever waits for this host shall not. */
  #forsake(host: number, what: string): void {
    this.#places.forsake(host);
    this.#started.forsake(host, what);
    this.#synced.forsake(host, what);
  }

  /** A broken connection may be mended at once, and a shard without a replica is worth a moment's wait. */
  async #comesBack(host: number): Promise<boolean> {
    const shards = this.#places.primariesOn(host);
    if (shards.length === 0 || shards.every((shard) => this.#places.canPromote(shard))) return false;
    return this.#until(() => this.#places.hasAllOf(host), this.#options.config.failureDetectionMs / 4);
  }

  async #until(holds: () => boolean, timeoutMs: number): Promise<boolean> {
    const deadline = AbortSignal.timeout(timeoutMs);
    const late = new Promise<void>((resolve) => deadline.addEventListener('abort', () => resolve(), { once: true }));
    while (!holds() && !deadline.aborted && !this.#closed) await Promise.race([this.#hostsChanged.promise, late]);
    return holds();
  }

  /** What becomes of the shards of a lost host. */
  async #replace(host: number, cause: string): Promise<void> {
    const decision = afterHostLoss(this.#places.placements, host, (shard) => this.#places.canPromote(shard));
    switch (decision.kind) {
      case 'keep': return this.#dropReplicasOn(host);
      case 'promote': {
        this.#dropReplicasOn(host);
        for (const shard of decision.shards) this.#promote(shard);
        return this.#announce(`${cause}; its replica takes over`, null);
      }
      case 'rollback': return this.#renew(cause);
      default: return assertNever(decision);
    }
  }

  #dropReplicasOn(host: number): void {
    for (const shard of this.#places.dropReplicasOn(host)) {
      this.#hosts.send(this.#places.primary(shard), { replicate: { generation: this.#generation, shard, to: null } });
    }
    void this.#enqueue(() => this.#replicate());
  }

  #promote(shard: number): void {
    this.#hosts.send(this.#places.promote(shard), { promote: { generation: this.#generation, shard } });
  }

  /** A host that leaves in order gives its shards to others, which copy them first; nothing is lost. */
  async #handOver(host: Host): Promise<void> {
    try {
      this.#dropReplicasOn(host.host);
      const shards = this.#places.primariesOn(host.host);
      for (const shard of shards) await this.#copyElsewhere(shard, host.host);
      for (const shard of shards) this.#promote(shard);
      if (shards.length > 0) this.#announce(`${describeHost(host)} leaves`, null);
      this.#hosts.release(host.host);
    } catch (error) {
      ignoreHostGone(error);
      // The host that was to copy them is gone, not this one: another is asked.
      if (this.#hosts.get(host.host) !== undefined) await this.#handOver(host);
    }
  }

  /** Sees to it that the shard has a replica that can take over, on another host. */
  async #copyElsewhere(shard: number, from: number): Promise<void> {
    const { config: { shardHosts } } = this.#options;
    if (this.#places.canPromote(shard)) return;
    const [target] = placeShards({ hosts: this.#usableHosts().filter(({ host }) => host !== from), shardHosts, shards: 1, replicas: 0 });
    if (target === undefined) throw new Error('there is always the coordinator');
    const synced = this.#synced.await(target.primary, this.#keyOf(target.primary, shard));
    await this.#startReplica(shard, target.primary);
    await synced;
  }

  /** After a restart: the shards are where they were, when all their hosts come back in time. */
  async #adopt(known: KnownPlacement): Promise<boolean> {
    const { config, nextStep } = this.#options;
    if (config.shards !== null && config.shards !== known.shards.length) return false;
    this.#places = new ShardPlaces(cutIntoShards(this.#plan.layout.totalLength, known.shards.length), known.shards.map(({ host, replica }) => ({ primary: host, replica })));
    this.#reports = this.#createReports(nextStep());
    for (const take of this.#early.splice(0)) take();
    if (!(await this.#until(() => this.#places.isWhole, this.#adoptionMs(known)))) return false;
    this.#announce('the coordinator is back', nextStep());
    this.#places.placements.forEach(({ primary }, shard) => {
      const to = this.#places.replicaEndpoint(shard);
      if (to !== null) this.#hosts.send(primary, { replicate: { generation: this.#generation, shard, to } });
    });
    return true;
  }

  /** Shards of the coordinator's own process have died with it: nobody brings them back. */
  #adoptionMs(known: KnownPlacement): number {
    const wereHere = this.#options.config.shardHosts.every((kind) => kind === 'coordinator');
    return wereHere || known.shards.length === 0 ? 0 : 2 * this.#options.config.failureDetectionMs;
  }

  #usableHosts(): readonly Host[] {
    return this.#hosts.hosts.filter(({ isLeaving }) => !isLeaving);
  }

  #describe(host: number): string {
    const present = this.#hosts.get(host);
    return present === undefined ? `shard host ${host}` : describeHost(present);
  }

  #keyOf(host: number, shard: number): string {
    return `${this.#generation}/${shard}/${host}`;
  }

  get #plan(): FleetPlan {
    if (this.#fixed === null) throw new Error('the fleet has not started');
    return this.#fixed;
  }
}
