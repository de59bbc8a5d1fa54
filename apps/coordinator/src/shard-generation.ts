import { bytesOf, LockstepError, type ErrorCode, type OptimizerConfig, type ParameterLayout } from '@lockstep/core';
import { slotNames, type ShardPlan, type ShardRange } from '@lockstep/parameter-server';
import type { ShardPlacement } from '@lockstep/scheduling';
import type { BlockShelf, FinishedStep, HostedShardMessage, HostMessage__Output, ShardEndpoint__Output } from '@lockstep/transport';
import { AwaitedHosts } from './awaited-hosts.ts';
import { HostGone } from './host-gone.ts';
import { describeHost, type Host, type HostRegistry } from './host-registry.ts';
import { reachableAddress } from './reachable-address.ts';
import { ShardPlaces } from './shard-places.ts';
import { ShardReports } from './shard-reports.ts';
import { cutState, joinStates, type StateCut, type TrainingState } from './shard-states.ts';

/** What does not change from one generation of shards to the next. */
export interface FleetPlan {
  readonly plan: Omit<ShardPlan, 'range' | 'shard' | 'shards'>;
  readonly layout: ParameterLayout;
}

export interface ShardGenerationOptions extends FleetPlan {
  readonly generation: number;
  /** The version that its shards start from. */
  readonly startVersion: number;
  /** The first step that is to be told of. */
  readonly firstStep: number;
  readonly ranges: readonly ShardRange[];
  readonly placements: readonly ShardPlacement[];
  /** Shards whose primaries are gone for good, and whose replicas are to take over. */
  readonly orphans: readonly number[];
  readonly optimizer: OptimizerConfig;
  readonly hosts: HostRegistry;
  readonly shelf: BlockShelf;
  readonly sharedMemory: boolean;
  readonly onFinished: (finished: FinishedStep) => void;
  readonly onSnapshot: (state: TrainingState) => void;
  /** A shard's replica has all that workers have seen. */
  readonly onInSync: (shard: number) => void;
  readonly onReplicaLost: (shard: number, reason: string) => void;
  /** A host's shard has failed, but the host lives. */
  readonly onFailed: (host: Host, error: LockstepError) => void;
}

/** The shards from one start to the next return to a checkpoint: where they are, how they are started and moved, what they tell. */
export class ShardGeneration {
  readonly places: ShardPlaces;
  readonly #options: ShardGenerationOptions;
  readonly #reports: ShardReports;
  /** Shards that were started and do not listen yet. */
  readonly #started = new AwaitedHosts<ShardEndpoint__Output>();
  /** Replicas that are to take over and have not all that their primaries have. */
  readonly #synced = new AwaitedHosts<void>();
  /** Shards that hosts were told to end: where such a one is said to listen, that was sent before. */
  readonly #ended = new Set<string>();

  constructor(options: ShardGenerationOptions) {
    const { ranges, placements, layout, optimizer, firstStep, shelf, onFinished, onSnapshot } = options;
    const cut: StateCut = { layout, ranges, slotNames: slotNames(optimizer) };
    this.#options = options;
    this.places = new ShardPlaces(ranges, placements);
    this.#reports = new ShardReports(ranges.length, firstStep, shelf, {
      finished: onFinished,
      snapshot: (version, states) => onSnapshot(joinStates(version, states, cut)),
    });
  }

  get number(): number {
    return this.#options.generation;
  }

  get startVersion(): number {
    return this.#options.startVersion;
  }

  /** The shards that have not told of the first step that is not known to be made. */
  get untold(): readonly number[] {
    return this.#reports.untold;
  }

  /** Starts all primaries from a state, or from what a worker has; rejects with HostGone when one of their hosts is lost. */
  async startPrimaries(state: TrainingState | null): Promise<void> {
    await Promise.all(this.places.placements.map(({ primary }, shard) => this.#start(primary, shard, 'primary', state)));
  }

  /** Has the shard's primary keep a replica on this host; rejects with HostGone when that is lost before it listens. */
  async startReplica(shard: number, host: number): Promise<void> {
    this.places.setReplica(shard, host);
    this.#replicateTo(shard, await this.#start(host, shard, 'replica', null));
  }

  /** Starts a replica, and resolves when it could take over. */
  async copyTo(shard: number, host: number): Promise<void> {
    const synced = this.#synced.await(host, keyOf(host, shard));
    await this.startReplica(shard, host);
    await synced;
  }

  /** Gives the shards whose replicas these were. */
  dropReplicasOn(host: number): readonly number[] {
    const shards = this.places.dropReplicasOn(host);
    for (const shard of shards) this.#replicateTo(shard, null);
    return shards;
  }

  promote(shard: number): void {
    this.#options.hosts.send(this.places.promote(shard), { promote: { generation: this.number, shard } });
  }

  /** The host is not reached any more: whoever waits for it shall not. */
  forsake(host: number, what: string): void {
    this.places.forsake(host);
    this.#started.forsake(host, what);
    // Without one of its shards no step is finished nor recorded, and no copy comes in step before that shard is back.
    this.#synced.forsake(this.places.primariesOn(host).length > 0 ? null : host, what);
  }

  /** Nothing is awaited any more. */
  abandon(): void {
    this.#started.forsake(null, 'the run ends');
    this.#synced.forsake(null, 'the run ends');
  }

  /**
   * Notes where a host that is (back) there has shards; those that are not its to hold it shall end. What it was told
   * of the others before its connection broke may not have arrived: it is told again.
   */
  present({ host }: Host, shards: readonly HostedShardMessage[]): void {
    const ours = shards.filter(({ generation }) => generation === this.number);
    const [strays = [], held = []] = [true, false].map((isStray) => ours.filter((hosted) => this.#isStray(host, hosted) === isStray));
    for (const { shard } of strays) this.#ended.add(keyOf(host, shard));
    this.#options.hosts.send(host, { drop: { belowGeneration: this.number, shardNumbers: strays.map(({ shard }) => shard) } });
    for (const { shard, role, replicaAddress } of held) {
      if (this.places.primary(shard) !== host) continue;
      this.places.notePrimary(shard, replicaAddress);
      if (role === 'replica') this.#options.hosts.send(host, { promote: { generation: this.number, shard } });
    }
    for (const shard of this.places.withoutTheirReplica(host)) this.#replicateTo(shard, this.places.replicaEndpoint(shard));
  }

  /** Takes what a host tells of its shards; what is of another generation is of no use. */
  take(host: Host, message: HostMessage__Output): void {
    if (message.shardReady) this.#takeReady(host.host, message.shardReady);
    else if (message.stepsFinished) this.#takeSteps(message.stepsFinished);
    else if (message.snapshot) this.#takeSnapshot(message.snapshot);
    else if (message.replicaState) this.#takeReplicaState(message.replicaState);
    else if (message.shardFailed) this.#takeFailure(host, message.shardFailed);
  }

  async #start(host: number, shard: number, role: 'primary' | 'replica', state: TrainingState | null): Promise<ShardEndpoint__Output> {
    const { hosts, shelf, sharedMemory, layout } = this.#options;
    if (hosts.get(host) === undefined) throw new HostGone(`shard host ${host} was lost`);
    const range = this.places.range(shard);
    const plan: ShardPlan = { ...this.#options.plan, range, shard, shards: this.places.ranges.length };
    const start = state === null ? null : shelf.put(bytesOf(cutState(state, layout, range)));
    this.#ended.delete(keyOf(host, shard));
    const listening = this.#started.await(host, keyOf(host, shard));
    hosts.send(host, {
      startShard: { generation: this.number, shard, role, planJson: JSON.stringify(plan), start, startVersion: this.startVersion, sharedMemory },
    });
    try {
      return await listening;
    } finally {
      if (start !== null) shelf.remove(start.sha256);
    }
  }

  #replicateTo(shard: number, to: ShardEndpoint__Output | null): void {
    this.places.tellPrimary(shard);
    this.#options.hosts.send(this.places.primary(shard), { replicate: { generation: this.number, shard, to } });
  }

  /** Whether the host shall end the shard; where not, it is noted there. */
  #isStray(host: number, hosted: HostedShardMessage): boolean {
    const isPrimary = this.places.primariesOn(host).includes(hosted.shard);
    const listens = hosted.unixAddress !== '' || hosted.tcpAddress !== '';
    if (!listens || (hosted.role === 'primary' && !isPrimary)) return true;
    const takesOver = hosted.role === 'replica' && (isPrimary || this.#options.orphans.includes(hosted.shard));
    // A replica that had lost its primary before lacks steps that are recorded: it cannot take over.
    if (takesOver && hosted.version < this.#reports.nextStep) return true;
    return this.#locate(host, hosted) === null;
  }

  #locate(host: number, { shard, unixAddress, tcpAddress }: Pick<HostedShardMessage, 'shard' | 'unixAddress' | 'tcpAddress'>): ShardEndpoint__Output | null {
    return this.places.locate(host, shard, { unixAddress, tcpAddress: reachableAddress(tcpAddress, this.#options.hosts.peerOf(host)) });
  }

  #takeReady(host: number, ready: NonNullable<HostMessage__Output['shardReady']>): void {
    if (ready.generation !== this.number || this.#ended.has(keyOf(host, ready.shard))) return;
    const endpoint = this.#locate(host, ready);
    if (endpoint !== null) this.#started.resolve(keyOf(host, ready.shard), endpoint);
  }

  #takeSteps({ generation, shard, steps }: NonNullable<HostMessage__Output['stepsFinished']>): void {
    if (generation === this.number) this.#reports.takeSteps(shard, steps);
  }

  #takeSnapshot({ generation, shard, version, state }: NonNullable<HostMessage__Output['snapshot']>): void {
    if (generation === this.number) this.#reports.takeSnapshot(shard, version, state);
    else this.#options.shelf.take(state?.sha256 ?? '');
  }

  #takeReplicaState({ generation, shard, inSync, reason, replicaAddress }: NonNullable<HostMessage__Output['replicaState']>): void {
    const replica = generation === this.number ? this.places.setInSync(shard, inSync, replicaAddress) : null;
    if (replica === null) return;
    if (inSync) {
      this.#synced.resolve(keyOf(replica, shard), undefined);
      return this.#options.onInSync(shard);
    }
    this.#synced.reject(keyOf(replica, shard), reason);
    this.#options.hosts.send(replica, { drop: { belowGeneration: generation, shardNumbers: [shard] } });
    this.places.dropReplica(shard);
    this.#options.onReplicaLost(shard, reason);
  }

  #takeFailure(host: Host, { generation, shard, failure }: NonNullable<HostMessage__Output['shardFailed']>): void {
    if (generation !== this.number) return;
    const hint = failure?.hint ? { hint: failure.hint } : {};
    this.#options.onFailed(host, new LockstepError((failure?.code ?? 'protocol') as ErrorCode, `shard ${shard} on ${describeHost(host)}: ${failure?.message ?? 'failed'}`, hint));
  }
}

const keyOf = (host: number, shard: number): string => `${shard}/${host}`;
