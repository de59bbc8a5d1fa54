import { nodesOf } from '@lockstep/reduction';
import { microBatchesIn, withNext, withoutPast } from '@lockstep/scheduling';
import type { TreeNode } from '@lockstep/reduction';
import type { EventQueue } from './event-queue.ts';
import type { Cancel, SharedResource } from './shared-resource.ts';
import type { Pushed } from './shard-site.ts';

export interface WorkerOptions {
  readonly number: number;
  readonly queue: EventQueue;
  readonly cores: SharedResource;
  readonly overheadMs: number;
  /** A micro-batch of a step, in milliseconds of a core that it has alone. */
  readonly microBatchMs: (step: number) => number;
  readonly push: (pushed: Pushed) => void;
}

/** A worker as the training loop has it: at each version it computes its nodes one by one, and pushes each when it is done. */
export class Worker {
  readonly number: number;
  readonly #options: WorkerOptions;
  #alive = true;
  #step = -1;
  #beganMs = 0;
  #computeMs = 0;
  readonly #done = new Set<number>();
  #standing: { readonly fromStep: number; readonly nodes: readonly TreeNode[] }[] = [];
  #extras: { readonly step: number; readonly nodes: readonly TreeNode[] }[] = [];
  #stop: Cancel | null = null;
  #isReady = false;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.number = options.number;
  }

  get alive(): boolean {
    return this.#alive;
  }

  get step(): number {
    return this.#step;
  }

  /** What it has computed of its step so far. */
  get share(): { readonly microBatches: number; readonly computeMs: number } {
    return { microBatches: this.#done.size, computeMs: this.#computeMs };
  }

  kill(): void {
    this.#alive = false;
    this.#stop?.();
  }

  assign(fromStep: number, nodes: readonly TreeNode[]): void {
    this.#standing = withNext(this.#standing, { fromStep, nodes });
    this.#work();
  }

  give(step: number, nodes: readonly TreeNode[]): void {
    this.#extras.push({ step, nodes });
    this.#work();
  }

  /** All ranges of the version are there; what is computed of an older step is of no use any more. */
  begin(step: number): void {
    if (!this.#alive) return;
    const { queue, overheadMs } = this.#options;
    this.#stop?.();
    this.#stop = null;
    this.#step = step;
    this.#beganMs = queue.nowMs;
    this.#computeMs = 0;
    this.#done.clear();
    this.#isReady = false;
    this.#forgetBefore(step);
    queue.after(overheadMs, () => {
      if (this.#step !== step) return;
      this.#isReady = true;
      this.#work();
    });
  }

  #work(): void {
    if (!this.#alive || !this.#isReady || this.#stop !== null) return;
    const node = this.#todo();
    if (node !== undefined) this.#compute(node);
  }

  #compute(node: TreeNode): void {
    const { queue, cores, microBatchMs, push, number } = this.#options;
    const [step, startedMs] = [this.#step, queue.nowMs];
    this.#stop = cores.use(2 ** node.level * microBatchMs(step), () => {
      this.#stop = null;
      this.#computeMs += queue.nowMs - startedMs;
      for (const microBatch of microBatchesIn([node])) this.#done.add(microBatch);
      push({ worker: number, step, node, beganMs: this.#beganMs, doneMs: queue.nowMs });
      this.#work();
    });
  }

  #todo(): TreeNode | undefined {
    const standing = this.#standing.findLast(({ fromStep }) => fromStep <= this.#step)?.nodes ?? [];
    const extras = this.#extras.filter(({ step }) => step === this.#step).flatMap(({ nodes }) => nodes);
    const open = microBatchesIn([...standing, ...extras]).filter((microBatch) => !this.#done.has(microBatch));
    return nodesOf(open)[0];
  }

  #forgetBefore(step: number): void {
    this.#extras = this.#extras.filter((extra) => extra.step >= step);
    this.#standing = withoutPast(this.#standing, step);
  }
}
