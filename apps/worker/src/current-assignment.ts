import type { TreeNode } from '@lockstep/reduction';

export interface StandingAssignment {
  readonly fromStep: number;
  readonly untilStep: number;
  readonly nodes: readonly TreeNode[];
}

/** What this worker computes. It stands until told otherwise; steps from `untilStep` on wait for the coordinator's word. */
export class CurrentAssignment {
  #standing: StandingAssignment[] = [];
  #changed = Promise.withResolvers<void>();

  set(assignment: StandingAssignment): void {
    this.#standing = [...this.#standing.filter(({ fromStep }) => fromStep < assignment.fromStep), assignment];
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }

  /** The nodes of a step, as soon as the coordinator has let the worker go so far; rejects by the signal. */
  async nodesFor(step: number, signal: AbortSignal): Promise<readonly TreeNode[]> {
    for (;;) {
      signal.throwIfAborted();
      const assignment = this.#standing.findLast(({ fromStep, untilStep }) => fromStep <= step && step < untilStep);
      if (assignment !== undefined) return assignment.nodes;
      await Promise.race([this.#changed.promise, aborted(signal)]);
    }
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
