import { TreeReduction, type TreeNode } from '@lockstep/reduction';
import type { Cluster } from './cluster.ts';
import type { Costs } from './costs.ts';
import type { EventQueue } from './event-queue.ts';
import type { SharedResource } from './shared-resource.ts';

/** A partial on its way, with when its worker began the step and was done with it. */
export interface Pushed {
  readonly worker: number;
  readonly step: number;
  readonly node: TreeNode;
  readonly beganMs: number;
  readonly doneMs: number;
}

/** How a site came to a version. */
export interface Published {
  readonly version: number;
  /** The partial that covered the root, and when it was there. */
  readonly last: Pushed;
  readonly arrivedMs: number;
  readonly reducedMs: number;
  readonly atMs: number;
}

export interface SiteOptions {
  readonly cluster: Pick<Cluster, 'clipping' | 'delayMs' | 'messageMs'>;
  readonly costs: Costs;
  readonly microBatches: number;
  readonly shards: number;
  readonly queue: EventQueue;
  readonly thread: SharedResource;
  /** Norms are to travel; tells when those of all sites are there. */
  readonly exchangeNorms: (step: number, then: () => void) => void;
  /** Sends the reduced gradient to the replicas and tells when they have confirmed it; at once where there are none. */
  readonly replicate: (then: () => void) => void;
  readonly onPublished: (published: Published) => void;
}

/** The shards of one host: they merge what comes along the tree, and step the optimizer when the root is covered. */
export class ShardSite {
  readonly #options: SiteOptions;
  readonly #reduction: TreeReduction<null>;
  #version = 0;
  /** Merges that the arrival under way leads to. */
  #merges = 0;
  /** Additions that are asked of the thread and not done yet. */
  #underWay = 0;
  #last: { readonly pushed: Pushed; readonly arrivedMs: number } | null = null;

  constructor(options: SiteOptions) {
    this.#options = options;
    this.#reduction = new TreeReduction<null>(options.microBatches, {
      merge: () => {
        this.#merges += 1;
        return null;
      },
      release: () => undefined,
    });
  }

  get version(): number {
    return this.#version;
  }

  missing(): number[] {
    return this.#reduction.missing();
  }

  /** A partial's slices are in the shards' memory. */
  take(pushed: Pushed): void {
    if (pushed.step !== this.#version || this.#last !== null || this.#reduction.covers(pushed.node)) return;
    const { queue, thread, costs } = this.#options;
    this.#merges = 0;
    this.#reduction.add(pushed.node, null);
    if (this.#reduction.root !== undefined) this.#last = { pushed, arrivedMs: queue.nowMs };
    this.#underWay += 1;
    thread.use(this.#merges * costs.mergeMs, () => {
      this.#underWay -= 1;
      if (this.#underWay === 0 && this.#last !== null) this.#average();
    });
  }

  #average(): void {
    const { queue, thread, costs, cluster, exchangeNorms } = this.#options;
    thread.use(costs.averageMs + (cluster.clipping ? 2 * costs.normMs : 0), () => {
      const reducedMs = queue.nowMs;
      if (cluster.clipping) exchangeNorms(this.#version, () => this.#update(reducedMs));
      else this.#update(reducedMs);
    });
  }

  /** The replicas apply the same update meanwhile. */
  #update(reducedMs: number): void {
    const { thread, costs, replicate } = this.#options;
    let left = 2;
    const publish = (): void => {
      left -= 1;
      if (left === 0) this.#publish(reducedMs);
    };
    thread.use(costs.optimizerMs, publish);
    replicate(publish);
  }

  #publish(reducedMs: number): void {
    const last = this.#last;
    if (last === null) throw new Error('a version without a covered root');
    this.#last = null;
    this.#reduction.clear();
    this.#version += 1;
    this.#options.onPublished({ version: this.#version, last: last.pushed, arrivedMs: last.arrivedMs, reducedMs, atMs: this.#options.queue.nowMs });
  }
}
