import { assertNever, LockstepError, type ErrorCode, type ParameterLayout, type RunConfig, type ShardsEvent } from '@lockstep/core';
import { cutIntoShards, ShardHost, slotNames, type ShardPlan, type ShardRange } from '@lockstep/parameter-server';
import { afterHostLoss, missingReplicas, placeShards } from '@lockstep/scheduling';
import { connectInProcess, type BlockShelf, type CoverageMessage, type FinishedStep, type HostedShardMessage, type HostMessage__Output, type HostPort, type PlacementMessage, type ShardCoverage, type ShardEndpoint__Output } from '@lockstep/transport';
import { describeHost, HostRegistry, type Host } from './host-registry.ts';
import { joinCoverage, ShardReports, type StepCoverage } from './shard-reports.ts';
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

/** One shard: who holds it and where workers find it. */
interface Place {
  primary: number;
  endpoint: ShardEndpoint__Output | null;
  replica: number | null;
  replicaEndpoint: ShardEndpoint__Output | null;
  /** Every version that workers have seen is on the replica too. */
  inSync: boolean;
}

/** A process on which something was waiting is gone. */
class HostGone extends Error {}

/**
 * The shards and the processes that host them: places them, lets a replica take a lost one's place, and has all go back
 * to the last checkpoint where one is lost that has none. Changes happen one after another.
 */
export class ShardFleet {
  readonly #options: ShardFleetOptions;
  readonly #hosts: HostRegistry;
  readonly #here: ShardHost;
  readonly #ready = new Map<string, PromiseWithResolvers<ShardEndpoint__Output>>();
  readonly #synced = new Map<number, PromiseWithResolvers<void>>();
  readonly #coverages = new Map<number, { readonly parts: Map<number, ShardCoverage>; readonly done: PromiseWithResolvers<StepCoverage | null> }>();
  #fixed: FleetPlan | null = null;
  #ranges: readonly ShardRange[] = [];
  #places: Place[] = [];
  #reports: ShardReports | null = null;
  #generation: number;
  #number: number;
  /** The version that this generation began with. */
  #startVersion: number;
  #early: (() => void)[] = [];
  #nextRequest = 0;
  #changes: Promise<void> = Promise.resolve();
  #hostsChanged = Promise.withResolvers<void>();
  #isPlaced = false;
  #closed = false;

  constructor(options: ShardFleetOptions) {
    this.#options = options;
    this.#generation = options.known?.generation ?? 0;
    this.#number = options.known?.number ?? 0;
    this.#startVersion = options.known?.version ?? 0;
    this.#places = (options.known?.shards ?? []).map(({ host, replica }) => ({ primary: host, endpoint: null, replica, replicaEndpoint: null, inSync: false }));
    this.#hosts = new HostRegistry({
      runId: options.runId, token: options.token, nextHost: options.nextHost, failureDetectionMs: options.config.failureDetectionMs,
      onNumber: options.onHostNumber,
      onPresent: (host, shards) => this.#present(host, shards),
      onMessage: (host, message) => this.#take(host, message),
      onLeaving: (host) => this.#enqueue(() => this.#handOver(host)),
      onLost: (host, reason) => this.#lose(host, reason),
    });
    this.#here = new ShardHost({
      kind: 'coordinator', hostname: 'coordinator', listenOn: options.listenOn, sharedMemory: options.sharedMemory,
      connect: (events) => connectInProcess(this.#hosts, options.shelf, events),
      onEnd: () => undefined,
    });
  }

  /** Where processes that host shards join. */
  get port(): HostPort {
    return this.#hosts;
  }

  /** Whether workers can reach all shards. */
  get isPlaced(): boolean {
    return this.#isPlaced;
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
    this.#fixed = fixed;
    await this.#enqueue(async () => {
      if (this.#options.known !== null && await this.#adopt(this.#options.known)) return;
      await this.#renew(this.#options.known === null ? 'the run starts' : 'the run goes on from its last checkpoint');
    });
  }

  /** All shards back to the last checkpoint. */
  rollBack(cause: string): void {
    void this.#enqueue(() => this.#renew(cause));
  }

  /** What the step under way lacks; null where the shards are not placed or do not answer in time. */
  async coverage(): Promise<StepCoverage | null> {
    if (!this.#isPlaced) return null;
    const request = this.#nextRequest;
    this.#nextRequest += 1;
    const done = Promise.withResolvers<StepCoverage | null>();
    this.#coverages.set(request, { parts: new Map(), done });
    const late = setTimeout(() => done.resolve(null), this.#options.config.failureDetectionMs);
    this.#hosts.broadcast({ coverage: { request } });
    try {
      return await done.promise;
    } finally {
      clearTimeout(late);
      this.#coverages.delete(request);
    }
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
    for (const waiting of this.#ready.values()) waiting.reject(new HostGone('the run ends'));
    this.#hosts.end(error);
    await this.#here.close();
  }

  /** Before the start there is nothing to change: who is there then is what counts. */
  #enqueue(change: () => Promise<void>): Promise<void> {
    this.#changes = this.#changes.then(async () => {
      if (!this.#closed && this.#fixed !== null) await change();
    }).catch((error: unknown) => {
      if (this.#closed) return;
      this.#options.onFailure(error instanceof LockstepError ? error : new LockstepError('protocol', String(error), { cause: error }));
    });
    return this.#changes;
  }

  /** A new generation: all shards from the newest checkpoint, on the hosts that are there now. */
  async #renew(cause: string): Promise<void> {
    for (let why = cause; !this.#closed;) {
      const state = await this.#options.restore();
      this.#beginGeneration(state?.version ?? 0);
      try {
        const started = this.#places.map((place, shard) => this.#startShard(place.primary, shard, 'primary', state));
        const endpoints = await Promise.all(started);
        endpoints.forEach((endpoint, shard) => Object.assign(this.#places[shard] ?? {}, { endpoint }));
        this.#startVersion = state?.version ?? 0;
        return this.#announce(why, this.#startVersion);
      } catch (error) {
        if (!(error instanceof HostGone)) throw error;
        why = error.message;
      }
    }
  }

  #beginGeneration(firstStep: number): void {
    const { config } = this.#options;
    this.#isPlaced = false;
    this.#early = [];
    this.#generation += 1;
    const layout = this.#layout;
    const hosts = this.#usableHosts();
    const shards = config.shards ?? Math.max(1, hosts.filter(({ kind }) => (config.shardHosts as readonly string[]).includes(kind === 'coordinator' ? kind : `${kind}s`)).length);
    this.#ranges = cutIntoShards(layout.totalLength, shards);
    this.#places = placeShards({ hosts, shardHosts: config.shardHosts, shards, replicas: 0 })
      .map(({ primary }) => ({ primary, endpoint: null, replica: null, replicaEndpoint: null, inSync: false }));
    this.#reports = this.#createReports(firstStep);
    this.#hosts.broadcast({ drop: { belowGeneration: this.#generation, shardNumbers: [] } });
  }

  #createReports(firstStep: number): ShardReports {
    const cut: StateCut = { layout: this.#layout, ranges: this.#ranges, slotNames: slotNames(this.#options.config.optimizer) };
    return new ShardReports(this.#ranges.length, firstStep, this.#options.shelf, {
      finished: (step) => this.#options.onFinished(step),
      snapshot: (version, states) => this.#options.onSnapshot(joinStates(version, states, cut)),
    });
  }

  /** Has a host start a shard; resolves when it listens, rejects with HostGone when the host is lost before. */
  #startShard(host: number, shard: number, role: 'primary' | 'replica', state: TrainingState | null): Promise<ShardEndpoint__Output> {
    const range = this.#ranges[shard];
    if (range === undefined || this.#fixed === null) throw new Error(`there is no shard ${shard}`);
    if (this.#hosts.get(host) === undefined) return Promise.reject(new HostGone(`shard host ${host} was lost`));
    const ready = Promise.withResolvers<ShardEndpoint__Output>();
    ready.promise.catch(() => undefined);
    this.#ready.set(keyOf(this.#generation, shard, host), ready);
    const plan: ShardPlan = { ...this.#fixed.plan, range, shard, shards: this.#ranges.length };
    const start = state === null ? null : this.#options.shelf.put(bytesOfState(cutState(state, this.#fixed.layout, range)));
    this.#hosts.send(host, {
      startShard: { generation: this.#generation, shard, role, planJson: JSON.stringify(plan), start, startVersion: state?.version ?? 0, sharedMemory: this.#options.sharedMemory },
    });
    return ready.promise.finally(() => {
      if (start !== null) this.#options.shelf.remove(start.sha256);
    });
  }

  /** Tells everybody where the shards are. */
  #announce(cause: string, beginsAt: number | null): void {
    const shards = this.#places.flatMap(({ endpoint }, shard) => (endpoint === null ? [] : { ...endpoint, ...this.#ranges[shard] }));
    this.#number += 1;
    this.#hosts.broadcast({ peers: { generation: this.#generation, shards } });
    this.#options.onPlaced(this.#known());
    this.#isPlaced = true;
    const hosts = this.#places.map(({ primary }) => describeHost(this.#hosts.get(primary) ?? { host: primary, kind: 'server', hostname: 'lost', pid: 0, isLeaving: false }));
    this.#options.onEvent({ event: 'shards', generation: this.#generation, version: beginsAt ?? this.#options.nextStep(), cause, hosts });
    this.#options.onPlacement({ number: this.#number, generation: this.#generation, shards, token: this.#options.token }, beginsAt);
    void this.#enqueue(() => this.#replicate());
  }

  #known(): KnownPlacement {
    return { generation: this.#generation, number: this.#number, version: this.#startVersion, shards: this.#places.map(({ primary, replica }) => ({ host: primary, replica })) };
  }

  /** Gives every shard its replica that has none, where there is a host for it. */
  async #replicate(): Promise<void> {
    const { config } = this.#options;
    if (!this.#isPlaced) return;
    const placements = this.#places.map(({ primary, replica }) => ({ primary, replica }));
    for (const { shard, host } of missingReplicas(placements, this.#usableHosts(), config.shardHosts, config.replicas as 0 | 1)) {
      await this.#startReplica(shard, host).catch(ignoreHostGone);
    }
  }

  async #startReplica(shard: number, host: number): Promise<void> {
    const place = this.#places[shard];
    if (place === undefined) return;
    const endpoint = await this.#startShard(host, shard, 'replica', null);
    Object.assign(place, { replica: host, replicaEndpoint: endpoint, inSync: false });
    this.#hosts.send(place.primary, { replicate: { generation: this.#generation, shard, to: endpoint } });
  }

  #present(host: Host, shards: readonly HostedShardMessage[]): void {
    for (const hosted of shards) {
      const place = this.#places[hosted.shard];
      if (hosted.generation !== this.#generation || place === undefined) continue;
      if (place.primary === host.host) place.endpoint = this.#endpointOf(host.host, hosted.shard, hosted);
      else if (place.replica === host.host) place.replicaEndpoint = this.#endpointOf(host.host, hosted.shard, hosted);
      else this.#hosts.send(host.host, { drop: { belowGeneration: this.#generation, shardNumbers: [hosted.shard] } });
    }
    if (this.#generation > 0) this.#hosts.send(host.host, { drop: { belowGeneration: this.#generation, shardNumbers: [] } });
    this.#hostsChanged.resolve();
    this.#hostsChanged = Promise.withResolvers();
    if (this.#isPlaced) void this.#enqueue(() => this.#replicate());
  }

  /** What comes before the start is told by shards that still live: it counts where these are taken over. */
  #take(host: Host, message: HostMessage__Output): void {
    if (this.#reports === null) {
      this.#early.push(() => this.#take(host, message));
      return;
    }
    if (message.shardReady) this.#takeReady(host.host, message.shardReady);
    else if (message.stepsFinished) {
      if (message.stepsFinished.generation === this.#generation) this.#reports.takeSteps(message.stepsFinished.shard, message.stepsFinished.steps);
    } else if (message.snapshot) {
      const { generation, shard, version, state } = message.snapshot;
      if (generation === this.#generation) this.#reports.takeSnapshot(shard, version, state);
      else this.#options.shelf.take(state?.sha256 ?? '');
    } else if (message.coverage) this.#takeCoverage(message.coverage);
    else if (message.replicaState) this.#takeReplicaState(message.replicaState);
    else if (message.shardFailed) this.#takeFailure(host, message.shardFailed);
    else if (message.note) this.#options.onLog(`${describeHost(host)}: ${message.note.message}`, message.note.level === 'warn' ? 'warn' : 'info');
  }

  #takeReady(host: number, { generation, shard, unixAddress, tcpAddress }: NonNullable<HostMessage__Output['shardReady']>): void {
    this.#ready.get(keyOf(generation, shard, host))?.resolve(this.#endpointOf(host, shard, { unixAddress, tcpAddress }));
    this.#ready.delete(keyOf(generation, shard, host));
  }

  #takeCoverage({ request, shards }: CoverageMessage): void {
    const asked = this.#coverages.get(request);
    if (asked === undefined) return;
    for (const part of shards) if (part.generation === this.#generation) asked.parts.set(part.shard, part);
    if (asked.parts.size === this.#ranges.length) asked.done.resolve(joinCoverage(asked.parts, this.#ranges.length));
  }

  #takeReplicaState({ generation, shard, inSync, reason }: NonNullable<HostMessage__Output['replicaState']>): void {
    const place = this.#places[shard];
    if (generation !== this.#generation || place === undefined || place.replica === null) return;
    place.inSync = inSync;
    if (inSync) {
      this.#synced.get(shard)?.resolve();
      return this.#options.onPlaced(this.#known());
    }
    this.#synced.get(shard)?.reject(new HostGone(reason));
    this.#options.onLog(`shard ${shard} has lost its replica: ${reason}`, 'warn');
    this.#hosts.send(place.replica, { drop: { belowGeneration: generation, shardNumbers: [shard] } });
    Object.assign(place, { replica: null, replicaEndpoint: null });
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
    this.#hostsChanged.resolve();
    this.#hostsChanged = Promise.withResolvers();
    void this.#enqueue(async () => {
      if (await this.#comesBack(host.host)) return;
      await this.#replace(host.host, what);
    });
  }

  /** Whoever waits for this host shall not. */
  #forsake(host: number, what: string): void {
    for (const [key, waiting] of this.#ready) {
      if (!key.endsWith(`/${host}`)) continue;
      this.#ready.delete(key);
      waiting.reject(new HostGone(what));
    }
    for (const place of this.#places) {
      if (place.primary === host) place.endpoint = null;
      if (place.replica === host) place.replicaEndpoint = null;
    }
    this.#places.forEach((place, shard) => {
      if (place.primary === host || place.replica === host) this.#synced.get(shard)?.reject(new HostGone(what));
    });
  }

  /** A broken connection may be mended at once, and a shard without a replica is worth a moment's wait. */
  async #comesBack(host: number): Promise<boolean> {
    const mine = this.#places.filter(({ primary }) => primary === host);
    if (mine.length === 0 || mine.every(({ inSync }) => inSync)) return false;
    const deadline = AbortSignal.timeout(this.#options.config.failureDetectionMs / 4);
    return this.#until(() => mine.every(({ endpoint }) => endpoint !== null), deadline);
  }

  async #until(holds: () => boolean, deadline: AbortSignal): Promise<boolean> {
    const late = new Promise<void>((resolve) => deadline.addEventListener('abort', () => resolve(), { once: true }));
    while (!holds() && !deadline.aborted && !this.#closed) await Promise.race([this.#hostsChanged.promise, late]);
    return holds();
  }

  /** What becomes of the shards of a lost host. */
  async #replace(host: number, cause: string): Promise<void> {
    const placements = this.#places.map(({ primary, replica }) => ({ primary, replica }));
    const decision = afterHostLoss(placements, host, (shard) => this.#places[shard]?.inSync === true && this.#places[shard]?.replicaEndpoint !== null);
    switch (decision.kind) {
      case 'keep': return this.#dropReplicasOn(host);
      case 'promote': {
        this.#dropReplicasOn(host);
        for (const shard of decision.shards) this.#promote(shard);
        return this.#announce(`${cause}; its replica takes over`, null);
      }
      case 'rollback': {
        const isMine = this.#places.some(({ primary }) => primary === host);
        return isMine ? this.#renew(cause) : undefined;
      }
      default: return assertNever(decision);
    }
  }

  #dropReplicasOn(host: number): void {
    this.#places.forEach((place, shard) => {
      if (place.replica !== host) return;
      Object.assign(place, { replica: null, replicaEndpoint: null, inSync: false });
      this.#hosts.send(place.primary, { replicate: { generation: this.#generation, shard, to: null } });
    });
    void this.#enqueue(() => this.#replicate());
  }

  #promote(shard: number): void {
    const place = this.#places[shard];
    if (place === undefined || place.replica === null) return;
    this.#hosts.send(place.replica, { promote: { generation: this.#generation, shard } });
    Object.assign(place, { primary: place.replica, endpoint: place.replicaEndpoint, replica: null, replicaEndpoint: null, inSync: false });
  }

  /** A host that leaves in order gives its shards to others, which copy them first; nothing is lost. */
  async #handOver(host: Host): Promise<void> {
    try {
      this.#dropReplicasOn(host.host);
      const mine = this.#places.flatMap(({ primary }, shard) => (primary === host.host ? [shard] : []));
      for (const shard of mine) await this.#moveAway(shard, host.host);
      if (mine.length > 0) this.#announce(`${describeHost(host)} leaves`, null);
      this.#hosts.release(host.host);
    } catch (error) {
      if (!(error instanceof HostGone)) throw error;
      if (this.#hosts.get(host.host) !== undefined) await this.#handOver(host);
    }
  }

  async #moveAway(shard: number, from: number): Promise<void> {
    const place = this.#places[shard];
    if (place === undefined) return;
    if (!place.inSync || place.replicaEndpoint === null) {
      const { config } = this.#options;
      const [target] = placeShards({ hosts: this.#usableHosts().filter(({ host }) => host !== from), shardHosts: config.shardHosts, shards: 1, replicas: 0 });
      if (target === undefined) return;
      const synced = Promise.withResolvers<void>();
      this.#synced.set(shard, synced);
      await this.#startReplica(shard, target.primary);
      await synced.promise.finally(() => this.#synced.delete(shard));
    }
    this.#promote(shard);
  }

  /** After a restart: the shards are where they were, when all their hosts come back in time. */
  async #adopt(known: KnownPlacement): Promise<boolean> {
    const { config } = this.#options;
    if (config.shards !== null && config.shards !== known.shards.length) return false;
    this.#ranges = cutIntoShards(this.#layout.totalLength, known.shards.length);
    this.#reports = this.#createReports(this.#options.nextStep());
    for (const take of this.#early.splice(0)) take();
    const areThere = await this.#until(() => this.#places.every(({ endpoint }) => endpoint !== null), AbortSignal.timeout(this.#adoptionMs(known)));
    if (!areThere) return false;
    this.#announce('the coordinator is back', this.#options.nextStep());
    this.#places.forEach(({ primary, replicaEndpoint }, shard) => {
      if (replicaEndpoint === null) return;
      this.#hosts.send(primary, { replicate: { generation: this.#generation, shard, to: { ...replicaEndpoint, ...this.#ranges[shard] } } });
    });
    return true;
  }

  /** Shards of the coordinator's own process have died with it: nobody brings them back. */
  #adoptionMs(known: KnownPlacement): number {
    const wasHere = !this.#options.config.shardHosts.some((kind) => kind !== 'coordinator');
    return wasHere || known.shards.length === 0 ? 0 : 2 * this.#options.config.failureDetectionMs;
  }

  #usableHosts(): readonly Host[] {
    return this.#hosts.hosts.filter(({ isLeaving }) => !isLeaving);
  }

  #endpointOf(host: number, shard: number, { unixAddress, tcpAddress }: Pick<HostedShardMessage, 'unixAddress' | 'tcpAddress'>): ShardEndpoint__Output {
    const { from, to } = this.#ranges[shard] ?? { from: 0, to: 0 };
    return { unixAddress, tcpAddress: reachableAddress(tcpAddress, this.#hosts.peerOf(host)), from, to };
  }

  get #layout(): ParameterLayout {
    if (this.#fixed === null) throw new Error('the fleet has not started');
    return this.#fixed.layout;
  }
}

const keyOf = (generation: number, shard: number, host: number): string => `${generation}/${shard}/${host}`;

const bytesOfState = (state: Float32Array): Uint8Array => new Uint8Array(state.buffer, state.byteOffset, state.byteLength);

function ignoreHostGone(error: unknown): void {
  if (!(error instanceof HostGone)) throw error;
}
