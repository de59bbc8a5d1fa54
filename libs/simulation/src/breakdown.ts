import { meanOf } from './statistics.ts';
import type { MadeStep } from './training-simulation.ts';

/** Where a step's time goes, in milliseconds, along the path that made it as long as it is. They add up to the step. */
export interface StepParts {
  /** What the workers compute on average. */
  readonly compute: number;
  /** By how much longer the one that all wait for took. */
  readonly slowest: number;
  /** From there until its last partial is in a shard's memory. */
  readonly push: number;
  /** Until the sum is complete: additions that are left to do, norms. */
  readonly reduce: number;
  readonly optimizer: number;
  /** Until the worker has all ranges of the new version. */
  readonly pull: number;
  /** The worker's own, before it computes. */
  readonly overhead: number;
  /** Of checkpoints, spread over the steps. */
  readonly checkpoint: number;
  /** Of lost workers, spread over the steps. */
  readonly recovery: number;
}

/** The parts of a step that follows another. */
export function breakDown(step: MadeStep, before: Pick<MadeStep, 'atMs'>, overheadMs: number): StepParts {
  const { last: { beganMs, doneMs }, shares, arrivedMs, reducedMs, atMs } = step;
  const took = doneMs - beganMs - overheadMs;
  const compute = Math.min(took, meanOf(shares.map(({ computeMs }) => computeMs)));
  return {
    compute, slowest: took - compute, push: arrivedMs - doneMs, reduce: reducedMs - arrivedMs, optimizer: atMs - reducedMs,
    pull: beganMs - before.atMs, overhead: overheadMs, checkpoint: 0, recovery: 0,
  };
}

export const PART_NAMES = ['compute', 'slowest', 'push', 'reduce', 'optimizer', 'pull', 'overhead', 'checkpoint', 'recovery'] as const satisfies readonly (keyof StepParts)[];

export const totalOf = (parts: StepParts): number => PART_NAMES.reduce((sum, name) => sum + parts[name], 0);

export function meanParts(all: readonly StepParts[]): StepParts {
  return Object.fromEntries(PART_NAMES.map((name) => [name, meanOf(all.map((parts) => parts[name]))])) as unknown as StepParts;
}
