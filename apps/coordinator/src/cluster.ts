import { join } from 'node:path';
import type { LockstepError, Rank, RunEvent } from '@lockstep/core';
import type { Journal } from '@lockstep/checkpoint';
import { isCompressed } from '@lockstep/reduction';
import { ranksByHost } from '@lockstep/scheduling';
import { BlockShelf, ControlServer, insecureServerCredentials, type FinishedStep } from '@lockstep/transport';
import type { CoordinatorOptions } from './coordinator-options.ts';
import { EvaluationRounds } from './evaluation-round.ts';
import { FrozenValues } from './frozen-values.ts';
import { HostRelays } from './host-relays.ts';
import type { OpenRun } from './known-run.ts';
import { ShardFleet } from './shard-fleet.ts';
import type { TrainingState } from './shard-states.ts';
import { WorkDispatcher } from './work-dispatcher.ts';
import { WorkerRegistry } from './worker-registry.ts';

export interface ClusterOptions extends Pick<CoordinatorOptions, 'config' | 'minWorkers' | 'minServers' | 'listen' | 'sharedMemory'> {
  readonly open: OpenRun;
  /** Remembers who has joined and where the shards are. */
  readonly journal: Pick<Journal, 'append'>;
  /** Where Unix sockets may be made. */
  readonly scratch: string;
  /** The newest checkpoint's state, or null: from the beginning. */
  readonly restore: () => Promise<TrainingState | null>;
  /** The first step that is not recorded yet. */
  readonly nextStep: () => number;
  readonly onFinished: (finished: FinishedStep) => void;
  readonly onSnapshot: (state: TrainingState) => void;
  readonly onEvent: (event: RunEvent) => void;
  /** The cluster cannot make this run. */
  readonly onFailure: (error: unknown) => void;
}

/** The processes of a run as its coordinator sees them: the workers, the shards and their hosts, and who computes what. */
export class Cluster {
  /** The blocks that workers and hosts fetch and put. */
  readonly shelf = new BlockShelf();
  readonly workers: WorkerRegistry;
  readonly fleet: ShardFleet;
  readonly dispatcher: WorkDispatcher;
  readonly rounds: EvaluationRounds;
  readonly frozen: FrozenValues;
  readonly #relays: HostRelays;
  readonly #options: ClusterOptions;
  readonly #control: ControlServer;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.workers = this.#createWorkers();
    this.rounds = new EvaluationRounds(this.shelf, () => this.workers.ranks, (rank, message) => this.workers.send(rank, message));
    this.frozen = new FrozenValues(this.shelf, options.open.token, () => this.workers.ranks, (rank, message) => this.workers.send(rank, message));
    this.fleet = this.#createFleet();
    this.dispatcher = this.#createDispatcher();
    this.#relays = this.#createRelays();
    this.#control = new ControlServer({
      membership: this.workers, hosts: this.fleet.port, shelf: this.shelf, credentials: insecureServerCredentials(),
      onNote: (level, message) => this.#log(message, level),
    });
    this.#control.token = options.open.token;
  }

  /** Lets processes join, at a Unix socket on this machine and at the TCP address. */
  async listen(): Promise<{ readonly unix: string; readonly tcp: string }> {
    const { scratch, listen } = this.#options;
    const unix = `unix:${join(scratch, 'coordinator.sock')}`;
    const [, tcp = listen] = await this.#control.listen([unix, listen]);
    return { unix, tcp };
  }

  /** Waits for who is to take part; one whose shards may live elsewhere takes them over without waiting long. */
  async gather(): Promise<void> {
    const { config: { shardHosts, failureDetectionMs }, minServers, open } = this.#options;
    const mayLive = (open.state.placement?.shards.length ?? 0) > 0;
    await (mayLive ? Promise.race([this.workers.started, later(2 * failureDetectionMs)]) : this.workers.started);
    if (mayLive) return;
    if (shardHosts.includes('servers')) await this.fleet.gathered('server', minServers);
    if (shardHosts.includes('workers')) await this.fleet.gathered('worker', this.workers.ranks.length);
  }

  /** Every process is told that the run has ended, in order or because of an error. */
  async close(error: LockstepError | null): Promise<void> {
    this.dispatcher.stop();
    this.workers.end(error);
    await this.fleet.close(error);
    await this.#control.close(this.#options.config.failureDetectionMs);
  }

  #createWorkers(): WorkerRegistry {
    const { config, minWorkers, journal, open: { state, runId }, onEvent, onFailure } = this.#options;
    return new WorkerRegistry({
      known: { runId, nextRank: state.nextRank, model: state.model === null ? null : { ...state.model } },
      minWorkers,
      failureDetectionMs: config.failureDetectionMs,
      numerics: config.numerics,
      onEvent,
      onWaiting: (reason) => this.#log(`waiting for workers: ${reason}`, 'info'),
      onPart: (part) => this.rounds.take(part),
      onFrozen: (rank, values) => this.frozen.take(rank, values),
      onRank: (rank, { hostname, pid }) => journal.append({ kind: 'rank', rank, hostname, pid }),
      routed: (placement, hostname) => this.#relays.routed(placement, hostname),
      onRelay: (rank, ready) => this.#relays.ready(rank, ready),
      onChange: (change) => this.#changeWorkers(change),
      onFailure,
    });
  }

  #createFleet(): ShardFleet {
    const { config, listen, sharedMemory, scratch, journal, open: { state, runId, token }, restore, nextStep, onEvent, onFinished, onSnapshot, onFailure } = this.#options;
    return new ShardFleet({
      config, runId, token, nextHost: state.nextHost, known: state.placement,
      formerCoordinators: new Set(state.hosts.filter(({ hostKind }) => hostKind === 'coordinator').map(({ host }) => host)),
      shelf: this.shelf, sharedMemory,
      listenOn: (generation, shard) => [`unix:${join(scratch, `shard-${generation}-${shard}.sock`)}`, `${listen.replace(/:\d+$/, '')}:0`],
      restore,
      onHostNumber: ({ host, kind, hostname, pid }) => journal.append({ kind: 'host', host, hostKind: kind, hostname, pid }),
      onPlaced: (placement) => journal.append({ kind: 'placement', ...placement, shards: [...placement.shards] }),
      onPlacement: (placement, beginsAt) => {
        this.#relays.place(placement.generation);
        this.workers.announce(placement);
        if (beginsAt !== null) this.dispatcher.begin(beginsAt);
      },
      onEvent,
      onFinished: (finished) => {
        try {
          this.workers.finished(finished);
          this.dispatcher.finished(finished);
          this.#relays.begin();
          onFinished(finished);
        } catch (error) {
          onFailure(error);
        }
      },
      onSnapshot,
      nextStep,
      hearsWorkers: () => this.workers.hearsAny,
      onLog: (message, level) => this.#log(message, level),
      onFailure,
    });
  }

  #createDispatcher(): WorkDispatcher {
    return new WorkDispatcher({
      config: this.#options.config,
      wirePlan: () => this.fleet.plan,
      membership: () => this.workers.membership,
      ranks: () => ranksByHost(this.workers.membership),
      leastStep: () => this.workers.leastStep,
      send: (rank, message) => this.workers.send(rank, message),
      coverage: () => this.fleet.coverage(),
      onReleased: (rank) => {
        this.rounds.lost(rank);
        this.frozen.lost(rank);
        this.workers.release(rank);
      },
      onStuck: (cause) => this.fleet.rollBack(cause),
      onStall: (step, reason) => this.#options.onEvent({ event: 'stall', step, reason }),
    });
  }

  #createRelays(): HostRelays {
    return new HostRelays({
      sharedMemory: this.#options.sharedMemory,
      membership: () => this.workers.membership,
      // Compressed sums are not added up on their way.
      shardHostnames: () => (isCompressed(this.#options.config.wire) ? [] : this.fleet.hostnames),
      send: (rank, message) => this.workers.send(rank, message),
      onRerouted: (hostname) => this.workers.reroute(hostname),
      onLog: (message) => this.#log(message, 'info'),
    });
  }

  #changeWorkers(change: { readonly joined: Rank } | { readonly leaving: Rank } | { readonly lost: Rank }): void {
    if ('joined' in change) {
      this.#relays.repeat(change.joined);
      this.rounds.joined(change.joined);
      this.frozen.joined(change.joined);
      this.dispatcher.joined(change.joined);
    } else if ('leaving' in change) {
      this.dispatcher.leaving(change.leaving);
    } else {
      this.rounds.lost(change.lost);
      this.frozen.lost(change.lost);
      this.dispatcher.lost(change.lost);
    }
    this.#relays.update();
  }

  #log(message: string, level: 'info' | 'warn'): void {
    this.#options.onEvent({ event: 'log', level, message });
  }
}

const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms).unref());
