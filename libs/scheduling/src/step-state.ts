import type { Rank } from '@lockstep/core';
import type { Assignment } from './assignment.ts';
import type { Membership } from './membership.ts';
import { microBatchesIn } from './node-lists.ts';
import type { Speeds } from './speeds.ts';

/** How long the step in flight has been waited for, and how long is usual. */
export interface StepClock {
  readonly nowMs: number;
  /** When the step began: when the one before it finished. */
  readonly sinceMs: number;
  /** How long a step takes as a rule; null before the first has finished. */
  readonly usualMs: number | null;
  /** The config's `backupAfter`: how many times the usual time a step may take before idle workers help; null: always. */
  readonly backupAfter: number | null;
  readonly failureDetectionMs: number;
}

/** Micro-batches that a worker was given besides its own in the step in flight. */
export interface Given {
  readonly rank: Rank;
  readonly microBatches: readonly number[];
  readonly atMs: number;
}

/** What is known of the step in flight. */
export interface StepState extends StepClock {
  readonly step: number;
  /** The micro-batches that some shard still lacks, in order. */
  readonly missing: readonly number[];
  /** The shards that have not finished the step. */
  readonly shards: readonly WaitingShard[];
  /** The assignment that stands at this step. */
  readonly assignment: Assignment;
  /** What the decisions before have given in this step; empty as a step begins. */
  readonly given: readonly Given[];
  readonly membership: Membership;
  readonly speeds: Speeds;
  /** Whether only the worker that has a micro-batch by the assignment can compute it in this step. */
  readonly isBound: boolean;
}

export interface WaitingShard {
  readonly shard: number;
  /** What it waits for where it lacks no micro-batch, else ''. */
  readonly waitsFor: string;
}

/** What a shard lacks in the step on its version; a version of -1 lacks the initial parameters. */
export interface ShardCoverage extends WaitingShard {
  readonly version: number;
  readonly missing: readonly number[];
}

/**
 * The step in flight over all shards: that of the shard which is furthest behind, and what any shard at it lacks. Null
 * before all shards have the initial parameters.
 */
export function stepInFlight(coverage: readonly ShardCoverage[]): Pick<StepState, 'step' | 'missing' | 'shards'> | null {
  const step = Math.min(...coverage.map(({ version }) => version));
  if (coverage.length === 0 || step < 0) return null;
  const behind = coverage.filter(({ version }) => version === step);
  const missing = [...new Set(behind.flatMap((shard) => shard.missing))].sort((a, b) => a - b);
  return { step, missing, shards: behind.map(({ shard, waitsFor }) => ({ shard, waitsFor })) };
}

/** Which worker each micro-batch is assigned to. */
export function ownersOf(assignment: Assignment): ReadonlyMap<number, Rank> {
  return new Map([...assignment].flatMap(([rank, nodes]) => microBatchesIn(nodes).map((microBatch) => [microBatch, rank] as const)));
}

/** The least time after which a step counts as late: below it work done twice costs more than it saves. */
const LEAST_PATIENCE_MS = 50;

/** How long a step, or what was given in it, is waited for before it counts as late. */
export function patienceMs({ usualMs, backupAfter, failureDetectionMs }: StepClock): number {
  return backupAfter === null ? failureDetectionMs : Math.max(LEAST_PATIENCE_MS, backupAfter * (usualMs ?? failureDetectionMs));
}
