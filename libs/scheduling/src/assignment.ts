import type { Rank } from '@lockstep/core';
import { nodesCovering, nodesOf, type TreeNode } from '@lockstep/reduction';
import { rangeEnds } from './boundaries.ts';
import { fairShares, readyMs } from './fair-shares.ts';
import { speedsOf, type Speeds } from './speeds.ts';

/** Which tree nodes each worker computes by itself: a hint for speed, which changes no result. */
export type Assignment = ReadonlyMap<Rank, readonly TreeNode[]>;

/** Work moves only for a step that is predicted to be at least this much shorter. */
const WORTH_MOVING = 0.1;

/**
 * Cuts the micro-batches of a step over the workers so that all are ready at about the same time: each gets a contiguous
 * range, in the order given, in whole subtrees where that costs little. Workers that are too many, or too slow to help, get
 * nothing. A worker of unknown speed counts as an average one. Nodes of `unitLevel` are not divided.
 */
export function assignBySpeed(ranks: readonly Rank[], speeds: Speeds, microBatches: number, unitLevel = 0): Assignment {
  const units = microBatches / 2 ** unitLevel;
  const ends = rangeEnds(speedsOf(ranks, speeds), units);
  const nodes = (worker: number): TreeNode[] => nodesCovering(ends[worker - 1] ?? 0, ends[worker] ?? units);
  return new Map(ranks.map((rank, worker) => [rank, nodes(worker).map(({ level, index }) => ({ level: level + unitLevel, index }))]));
}

export interface AssignmentState {
  readonly current: Assignment | null;
  /** The workers that take part from now on, in the order of their ranges: at least one. */
  readonly ranks: readonly Rank[];
  readonly speeds: Speeds;
  readonly microBatches: number;
  /** The level of the least nodes that are assigned; 0: any. */
  readonly unitLevel?: number;
}
export type AssignmentDecision = { readonly kind: 'keep' } | { readonly kind: 'assign'; readonly assignment: Assignment; readonly reason: string };

/** A new assignment when the workers have changed, or when it makes a step at least a tenth shorter; else the present one stands. */
export function planAssignment(state: AssignmentState): AssignmentDecision {
  const { ranks, speeds, microBatches, unitLevel } = state;
  const current: Assignment = state.current ?? new Map();
  if (ranks.length === 0) return { kind: 'keep' };
  const change = describeChange([...current.keys()], ranks);
  if (change !== null) return { kind: 'assign', assignment: assignBySpeed(ranks, speeds, microBatches, unitLevel), reason: change };
  const beforeMs = predictedMs(current, speeds);
  // No cut is ready before the fair shares are: most often these say already that there is nothing to gain.
  if (fairMs(ranks, speeds, microBatches) > beforeMs * (1 - WORTH_MOVING)) return { kind: 'keep' };
  const assignment = assignBySpeed(ranks, speeds, microBatches, unitLevel);
  const afterMs = predictedMs(assignment, speeds);
  if (afterMs > beforeMs * (1 - WORTH_MOVING)) return { kind: 'keep' };
  return { kind: 'assign', assignment, reason: `the slowest worker computes ${afterMs.toFixed(1)} ms a step instead of ${beforeMs.toFixed(1)} ms` };
}

/** Deals micro-batches that nobody is about to compute over `ranks` by their speed; who gets none is left out. */
export function takeOver(work: { readonly microBatches: readonly number[]; readonly ranks: readonly Rank[]; readonly speeds: Speeds }): Assignment {
  if (work.ranks.length === 0) return new Map();
  const sorted = [...new Set(work.microBatches)].sort((a, b) => a - b);
  const shares = fairShares(speedsOf(work.ranks, work.speeds), sorted.length);
  let next = 0;
  const dealt = work.ranks.map((rank, worker) => [rank, nodesOf(sorted.slice(next, next += shares[worker] ?? 0))] as const);
  return new Map(dealt.filter(([, nodes]) => nodes.length > 0));
}

/** The least time in which these workers can be ready with a step, in milliseconds. */
function fairMs(ranks: readonly Rank[], speeds: Speeds, microBatches: number): number {
  const ms = speedsOf(ranks, speeds);
  return readyMs(ms, fairShares(ms, microBatches));
}

/** When the last worker is ready with its part of a step, in milliseconds. */
function predictedMs(assignment: Assignment, speeds: Speeds): number {
  const shares = [...assignment.values()].map((nodes) => nodes.reduce((sum, { level }) => sum + 2 ** level, 0));
  return readyMs(speedsOf([...assignment.keys()], speeds), shares);
}

/** `with worker 3, without workers 0, 1`, or null where the same workers take part. */
function describeChange(before: readonly Rank[], after: readonly Rank[]): string | null {
  const [were, are] = [new Set(before), new Set(after)];
  const come = after.filter((rank) => !were.has(rank));
  const gone = before.filter((rank) => !are.has(rank));
  const changes = [...listOf('with', come), ...listOf('without', gone)];
  return changes.length === 0 ? null : changes.join(', ');
}

const listOf = (how: string, ranks: readonly Rank[]): string[] =>
  (ranks.length === 0 ? [] : [`${how} worker${ranks.length === 1 ? '' : 's'} ${ranks.join(', ')}`]);
