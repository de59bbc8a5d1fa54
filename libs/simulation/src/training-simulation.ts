import { rankOf } from '@lockstep/core';
import type { Share } from '@lockstep/scheduling';
import { microBatchesOf, microBatchMsOf, type Cluster } from './cluster.ts';
import { Coordinator } from './coordinator.ts';
import { costsOf } from './costs.ts';
import { EventQueue } from './event-queue.ts';
import { Exchange } from './exchange.ts';
import { Gate } from './gate.ts';
import { jitterOf } from './jitter.ts';
import { layOut, type Layout } from './layout.ts';
import { createMachines, type Machines } from './machines.ts';
import { ShardSite, type Published } from './shard-site.ts';
import { Worker } from './worker.ts';

/** A step that is made: how the last site came to its version, and what the workers computed. */
export interface MadeStep extends Published {
  readonly shares: readonly Share[];
}

/** A version on its way to one worker. */
interface Arriving {
  ranges: number;
  isFetched: boolean;
}

/** Enough for the assignment to follow the speeds and for the usual time of a step to be known. */
const WARM_UP_STEPS = 3;
const MOST_WARM_UP_STEPS = 60;

/**
 * A run in its midst, event by event: workers compute and push, shards merge, step and publish, the coordinator assigns. What
 * is decided is decided by the real code (`@lockstep/scheduling`, the tree of `@lockstep/reduction`); only the time is made up.
 */
export class TrainingSimulation {
  readonly #queue = new EventQueue();
  readonly #cluster: Cluster;
  readonly #layout: Layout;
  readonly #machines: Machines;
  readonly #exchange: Exchange;
  readonly #workers: readonly Worker[];
  readonly #sites: readonly ShardSite[];
  readonly #coordinator: Coordinator;
  readonly #arriving = new Map<number, Arriving[]>();
  readonly #norms = new Map<number, Gate>();
  readonly #made: MadeStep[] = [];

  constructor(cluster: Cluster, workers: number, seed: number) {
    const microBatches = microBatchesOf(cluster, workers);
    this.#cluster = cluster;
    this.#layout = layOut(cluster, workers);
    this.#machines = createMachines(cluster, this.#layout, this.#queue);
    const costs = costsOf(cluster, this.#layout.placements.length);
    this.#exchange = new Exchange({ cluster, costs, layout: this.#layout, machines: this.#machines, queue: this.#queue });
    this.#workers = this.#layout.hostOfWorker.map((host, worker) => this.#createWorker(worker, host, seed));
    this.#sites = this.#layout.sites.map(({ shards }, site) => this.#createSite(site, { cluster, costs, microBatches, shards }));
    this.#coordinator = new Coordinator({
      cluster, queue: this.#queue, microBatches,
      speeds: new Map(this.#workers.map(({ number }) => [rankOf(number), microBatchMsOf(cluster, number)])),
      coverage: () => this.#sites.map((site, shard) => ({ shard, version: site.version, missing: site.missing(), waitsFor: '' })),
      assign: (worker, fromStep, nodes) => this.#workers[worker]?.assign(fromStep, nodes),
      give: (worker, step, nodes) => this.#workers[worker]?.give(step, nodes),
    }, workers);
    this.#coordinator.start();
    for (const worker of this.#workers) worker.begin(0);
  }

  get layout(): Layout {
    return this.#layout;
  }

  /** Makes steps until the pace is steady. */
  warmUp(): void {
    for (let steps = 0; steps < MOST_WARM_UP_STEPS && (steps < WARM_UP_STEPS || !this.#coordinator.isSettled); steps += 1) this.step();
  }

  /** Makes one more step. */
  step(): MadeStep {
    const wanted = this.#made.length + 1;
    this.#queue.runUntil(() => this.#made.length >= wanted);
    return this.#made[wanted - 1]!;
  }

  /** A worker dies so many milliseconds from now; the others learn of it after the detection time. */
  killAfter(ms: number, worker: number): void {
    this.#queue.after(ms, () => this.#workers[worker]?.kill());
    this.#queue.after(ms + this.#cluster.failureDetectionMs, () => this.#coordinator.lost(worker));
  }

  #createWorker(number: number, host: number, seed: number): Worker {
    const ms = microBatchMsOf(this.#cluster, number);
    return new Worker({
      number, queue: this.#queue, cores: this.#machines.hosts[host]!.cores, overheadMs: this.#cluster.overheadMs,
      microBatchMs: (step) => ms * jitterOf(seed, this.#cluster.jitter, number, step),
      push: (pushed) => this.#exchange.push(number, (site) => this.#sites[site]?.take(pushed)),
    });
  }

  #createSite(site: number, options: Pick<ConstructorParameters<typeof ShardSite>[0], 'cluster' | 'costs' | 'microBatches' | 'shards'>): ShardSite {
    return new ShardSite({
      ...options, queue: this.#queue, thread: this.#machines.shardThreads[site]!,
      exchangeNorms: (step, then) => this.#exchangeNorms(step, then),
      replicate: (then) => this.#exchange.replicate(site, then),
      onPublished: (published) => this.#publish(site, published),
    });
  }

  /** Every site has the norms of all one way after the last has sent them. */
  #exchangeNorms(step: number, then: () => void): void {
    const gate = this.#norms.get(step) ?? new Gate(this.#sites.length);
    this.#norms.set(step, gate);
    const { delayMs, messageMs } = this.#cluster;
    gate.then(() => {
      this.#norms.delete(step);
      this.#queue.after(this.#layout.placements.length === 1 ? 0 : delayMs + messageMs, then);
    });
    gate.done();
  }

  #publish(site: number, published: Published): void {
    const { version } = published;
    if (!this.#arriving.has(version)) this.#await(version);
    this.#exchange.publish(site, (worker) => this.#workers[worker]!.alive, (worker) => this.#arrive(version, worker, (arriving) => { arriving.ranges += 1; }));
    if (this.#sites.every((other) => other.version >= version)) this.#finish(published);
  }

  /** The first ranges of a version are sent. */
  #await(version: number): void {
    this.#arriving.delete(version - 2);
    this.#arriving.set(version, this.#workers.map(() => ({ ranges: 0, isFetched: false })));
    for (const { number, alive } of this.#workers) {
      if (alive) this.#exchange.fetch(number, () => this.#arrive(version, number, (arriving) => { arriving.isFetched = true; }));
    }
  }

  #arrive(version: number, worker: number, note: (arriving: Arriving) => void): void {
    const arriving = this.#arriving.get(version)?.[worker];
    if (arriving === undefined) return;
    note(arriving);
    if (arriving.isFetched && arriving.ranges === this.#sites.length) this.#workers[worker]?.begin(version);
  }

  #finish(published: Published): void {
    const shares = this.#workers.filter(({ alive, step, share }) => alive && step === published.version - 1 && share.microBatches > 0)
      .map(({ number, share }) => ({ rank: rankOf(number), ...share }));
    this.#made.push({ ...published, shares });
    this.#coordinator.finished(shares);
  }
}
