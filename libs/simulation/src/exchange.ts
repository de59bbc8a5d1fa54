import type { Cluster } from './cluster.ts';
import type { Costs } from './costs.ts';
import type { EventQueue } from './event-queue.ts';
import { Gate } from './gate.ts';
import type { Layout, SiteLayout } from './layout.ts';
import type { Machines } from './machines.ts';

export interface ExchangeOptions {
  readonly cluster: Cluster;
  readonly costs: Costs;
  readonly layout: Layout;
  readonly machines: Machines;
  readonly queue: EventQueue;
}

/**
 * How the bytes of partials and versions travel. Within a host through files in memory: written by one process, then read by
 * the other. Between hosts as a stream, which is on both threads and both links at once: it is there when each of them has
 * carried it, and one way's delay later.
 */
export class Exchange {
  readonly #options: ExchangeOptions;
  readonly #workersOn: readonly (readonly number[])[];

  constructor(options: ExchangeOptions) {
    this.#options = options;
    const { hosts, hostOfWorker } = options.layout;
    this.#workersOn = Array.from({ length: hosts }, (_, host) => hostOfWorker.flatMap((at, worker) => (at === host ? worker : [])));
  }

  /** A worker's partial, a slice to each shard; tells when the slices of a site are there. */
  push(worker: number, arrived: (site: number) => void): void {
    const { layout: { sites, hostOfWorker }, machines, costs } = this.#options;
    const here = hostOfWorker[worker]!;
    this.#pushLocally(worker, here, (site) => arrived(site));
    const shards = this.#shardsElsewhere(here);
    if (shards === 0) return;
    const left = new Gate(2);
    machines.workerThreads[worker]?.use(shards * costs.sendMs, left.done);
    machines.hosts[here]?.egress.use(shards * costs.wireBytes, left.done, shards);
    for (const [site, { host }] of sites.entries()) {
      if (host !== here) this.#takeIn(site, left, () => arrived(site));
    }
  }

  /** The new version of a site's ranges; tells when a worker has them. The bytes that come from other hosts are `fetch`ed besides. */
  publish(site: number, isThere: (worker: number) => boolean, arrived: (worker: number) => void): void {
    const { layout: { sites }, machines, costs } = this.#options;
    const { host: here, shards } = sites[site]!;
    const there = this.#workersOn.map((workers) => workers.filter(isThere));
    const remote = there.flatMap((workers, host) => (host === here || workers.length === 0 ? [] : { host, workers }));
    this.#publishLocally(site, there[here] ?? [], arrived);
    const receivers = remote.reduce((sum, { workers }) => sum + workers.length, 0);
    if (receivers === 0) return;
    const left = new Gate(2);
    machines.shardThreads[site]?.use(receivers * costs.sendMs, left.done);
    machines.hosts[here]?.egress.use(receivers * shards * costs.wireBytes, left.done, receivers * shards);
    for (const { host, workers } of remote) {
      const streams = workers.length * shards * this.#standsFor(host);
      machines.hosts[host]?.ingress.use(streams * costs.wireBytes, () => left.then(() => this.#afterDelay(() => workers.forEach(arrived))), streams);
    }
  }

  /** What a worker's thread does to take a whole version from other hosts. */
  fetch(worker: number, done: () => void): void {
    const { layout: { hostOfWorker }, machines, costs } = this.#options;
    const shards = this.#shardsElsewhere(hostOfWorker[worker]!);
    if (shards === 0) done();
    else machines.workerThreads[worker]?.use(shards * costs.sendMs, done);
  }

  /** Sends a site's gradient to its replicas, which step too and confirm. */
  replicate(site: number, done: () => void): void {
    const { layout: { sites }, machines, costs, queue, cluster } = this.#options;
    const { host: here, replicaHosts } = sites[site]!;
    const remote = replicaHosts.filter((host) => host !== here);
    if (replicaHosts.length === 0) return done();
    const confirmed = new Gate(3);
    confirmed.then(() => queue.after(costs.optimizerMs + 2 * cluster.delayMs + 2 * cluster.messageMs, done));
    machines.shardThreads[site]?.use(costs.sendMs, confirmed.done);
    if (remote.length === 0) confirmed.done();
    else machines.hosts[here]?.egress.use(remote.length * costs.wireBytes, confirmed.done, remote.length);
    this.#toReplicas(remote, confirmed.done);
  }

  #toReplicas(hosts: readonly number[], done: () => void): void {
    const { machines, costs } = this.#options;
    const byHost = [...Map.groupBy(hosts, (host) => host)];
    const all = new Gate(Math.max(1, byHost.length));
    all.then(done);
    if (byHost.length === 0) all.done();
    for (const [host, { length }] of byHost) machines.hosts[host]?.ingress.use(length * costs.wireBytes, all.done, length);
  }

  #takeIn(site: number, left: Gate, arrived: () => void): void {
    const { layout: { sites }, machines, costs } = this.#options;
    const { host, shards } = sites[site]!;
    const taken = new Gate(2);
    machines.hosts[host]?.ingress.use(shards * costs.wireBytes, taken.done, shards);
    machines.shardThreads[site]?.use(costs.sendMs + costs.scanMs, taken.done);
    taken.then(() => left.then(() => this.#afterDelay(arrived)));
  }

  #pushLocally(worker: number, host: number, arrived: (site: number) => void): void {
    const { layout: { sites, shardsOn }, machines, costs, cluster } = this.#options;
    const shards = shardsOn[host] ?? 0;
    if (shards === 0) return;
    const written = this.#both(machines.workerThreads[worker]!, shards * (costs.copyMs + cluster.messageMs), { host, shards });
    const site = sites.findIndex((simulated) => simulated.host === host);
    if (site >= 0) written.then(() => this.#both(machines.shardThreads[site]!, costs.copyMs + cluster.messageMs, { host, shards }).then(() => arrived(site)));
  }

  #shardsElsewhere(host: number): number {
    const { placements, shardsOn } = this.#options.layout;
    return placements.length - (shardsOn[host] ?? 0);
  }

  /** How many shards on other hosts each one that is simulated there stands for. */
  #standsFor(host: number): number {
    const simulated = this.#options.layout.sites.reduce((sum, site) => (site.host === host ? sum : sum + site.shards), 0);
    return this.#shardsElsewhere(host) / simulated;
  }

  /** Written once for all workers of the host; each reads it. */
  #publishLocally(site: number, workers: readonly number[], arrived: (worker: number) => void): void {
    if (workers.length === 0) return;
    const { layout: { sites }, machines, costs, cluster } = this.#options;
    const at = sites[site]!;
    this.#both(machines.shardThreads[site]!, costs.copyMs + workers.length * cluster.messageMs, at).then(() => {
      for (const worker of workers) {
        this.#both(machines.workerThreads[worker]!, at.shards * (costs.copyMs + cluster.messageMs), at).then(() => arrived(worker));
      }
    });
  }

  /** A copy of a site's slices within its host: on a thread, and through the memory that all share. */
  #both(thread: Machines['workerThreads'][number], threadMs: number, { host, shards }: Pick<SiteLayout, 'host' | 'shards'>): Gate {
    const gate = new Gate(2);
    thread.use(threadMs, gate.done);
    this.#options.machines.hosts[host]?.memory.use(shards * this.#options.costs.localBytes, gate.done);
    return gate;
  }

  #afterDelay(happen: () => void): void {
    this.#options.queue.after(this.#options.cluster.delayMs, happen);
  }
}
