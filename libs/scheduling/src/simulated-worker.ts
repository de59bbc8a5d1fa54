import type { Rank } from '@lockstep/core';
import type { TreeNode } from '@lockstep/reduction';
import { microBatchesIn } from './node-lists.ts';

/**
 * A worker of the simulated cluster: at a step it computes what the standing assignment for it says, and the extras for
 * it, and what comes late for it, less what it has done.
 */
export class SimulatedWorker {
  readonly rank: Rank;
  msPerMicroBatch: number;
  hangsUntilMs = 0;
  alive = true;
  /** Messages of an older connection are lost with it. */
  connection = 1;
  connected = true;
  #step = -1;
  #busyMs = 0;
  #workedMs = 0;
  readonly #done = new Set<number>();
  /** By the step they hold from. */
  readonly #assignments = new Map<number, readonly TreeNode[]>();
  readonly #extras = new Map<number, number[]>();

  constructor(rank: Rank, msPerMicroBatch: number) {
    this.rank = rank;
    this.msPerMicroBatch = msPerMicroBatch;
  }

  get step(): number {
    return this.#step;
  }

  /** What it has computed of its step so far. */
  get share(): { readonly rank: Rank; readonly microBatches: number; readonly computeMs: number } {
    return { rank: this.rank, microBatches: this.#done.size, computeMs: this.#workedMs };
  }

  begin(step: number): void {
    this.#step = step;
    this.#busyMs = 0;
    this.#workedMs = 0;
    this.#done.clear();
  }

  assign(fromStep: number, nodes: readonly TreeNode[]): void {
    this.#assignments.set(fromStep, nodes);
  }

  give(step: number, nodes: readonly TreeNode[]): void {
    this.#extras.set(step, [...(this.#extras.get(step) ?? []), ...microBatchesIn(nodes)]);
  }

  /** Computes for so many milliseconds; gives what became ready in them. */
  compute(ms: number): number[] {
    const ready: number[] = [];
    this.#busyMs += ms;
    for (let next = this.#next(); next !== undefined && this.#busyMs >= this.msPerMicroBatch; next = this.#next()) {
      this.#busyMs -= this.msPerMicroBatch;
      this.#workedMs += this.msPerMicroBatch;
      this.#done.add(next);
      ready.push(next);
    }
    if (this.#next() === undefined) this.#busyMs = 0;
    return ready;
  }

  #next(): number | undefined {
    const standing = Math.max(...[...this.#assignments.keys()].filter((fromStep) => fromStep <= this.#step));
    const mine = [...microBatchesIn(this.#assignments.get(standing) ?? []), ...(this.#extras.get(this.#step) ?? [])];
    return mine.find((microBatch) => !this.#done.has(microBatch));
  }
}
