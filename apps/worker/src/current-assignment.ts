import { nodesOf, type TreeNode } from '@lockstep/reduction';
import { microBatchesIn, withNext, withoutPast } from '@lockstep/scheduling';

export interface StandingAssignment {
  readonly fromStep: number;
  readonly untilStep: number;
  readonly nodes: readonly TreeNode[];
}

export interface ExtraNodes {
  readonly step: number;
  readonly nodes: readonly TreeNode[];
}

/** What this worker computes: what stands until told otherwise, and what it is given besides in a step that lasts. */
export class CurrentAssignment {
  readonly #onChange: () => void;
  #standing: readonly StandingAssignment[] = [];
  readonly #extras = new Map<number, readonly TreeNode[]>();

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  set(assignment: StandingAssignment): void {
    this.#standing = withNext(this.#standing, assignment);
    this.#onChange();
  }

  /** Gives the worker nodes of one step besides. */
  add({ step, nodes }: ExtraNodes): void {
    this.#extras.set(step, [...this.#extras.get(step) ?? [], ...nodes]);
    this.#onChange();
  }

  /** Steps come again: what stands last holds for them too, where a worker may change what it computes at any step (`keeps`). */
  rewind(keeps: boolean): void {
    this.#standing = keeps ? this.#standing.slice(-1).map((assignment) => ({ ...assignment, fromStep: 0 })) : [];
    this.#extras.clear();
  }

  /** The nodes of a step by what stands; none where the coordinator has not let the worker go so far. */
  standingAt(step: number): readonly TreeNode[] {
    return this.#standing.findLast(({ fromStep, untilStep }) => fromStep <= step && step < untilStep)?.nodes ?? [];
  }

  /** The nodes of the current step that are still to be computed, without the micro-batches that are `done`. */
  todo(step: number, done: ReadonlySet<number>): readonly TreeNode[] {
    this.#standing = withoutPast(this.#standing, step);
    for (const past of this.#extras.keys()) {
      if (past < step) this.#extras.delete(past);
    }
    const standing = this.standingAt(step);
    const extras = this.#extras.get(step);
    if (done.size === 0 && extras === undefined) return standing;
    return nodesOf(microBatchesIn([...standing, ...extras ?? []]).filter((microBatch) => !done.has(microBatch)));
  }
}
