import type { Rank } from '@lockstep/core';
import { nodesOf } from '@lockstep/reduction';
import { takeOver, type Assignment } from './assignment.ts';
import { activeRanks, presentMembers } from './membership.ts';
import { microBatchesIn } from './node-lists.ts';
import type { Share } from './speeds.ts';
import { explainStep } from './step-explanation.ts';
import { ownersOf, patienceMs, type Given, type StepClock, type StepState } from './step-state.ts';

type Owners = ReadonlyMap<number, Rank>;

export type WatchDecision = { readonly kind: 'wait'; readonly untilMs: number } | { readonly kind: 'query' };

/**
 * When to ask the shards what the step in flight still lacks: when it is late, at the latest after the failure-detection
 * time, and again after each such interval until it is finished.
 */
export function watchStep(state: StepClock & { readonly queriedMs: number | null }): WatchDecision {
  const untilMs = Math.max(state.sinceMs, state.queriedMs ?? -Infinity) + Math.min(patienceMs(state), state.failureDetectionMs);
  return state.nowMs < untilMs ? { kind: 'wait', untilMs } : { kind: 'query' };
}

export interface ExtrasDecision {
  /** What to give to whom now; empty where nothing is to be done. */
  readonly extras: Assignment;
  /** The state's `given` with these extras, for the next decision in this step. */
  readonly given: readonly Given[];
  /** Workers that keep idle ones waiting, with the time that their part has had so far: for `withLate`. */
  readonly late: readonly Share[];
  /** Says why the step is not finished; null while that is usual. */
  readonly explain: (() => string) | null;
}

/**
 * Who shall compute the missing micro-batches too. Those of a worker that is gone go to all others at once; those of one
 * that is late go to idle workers, whose own are all there. What was given is given again, to others where there are any,
 * only after another interval without it. A late worker that nobody can help is given its own again, which costs one that
 * is at it nothing: should its assignment have been lost, it has it now. So what a step lacks is always asked of someone.
 */
export function decideExtras(state: StepState): ExtrasDecision {
  const owners = ownersOf(state.assignment);
  const live = new Set<Rank | undefined>(liveRanks(state));
  const isLate = state.nowMs - state.sinceMs >= patienceMs(state);
  const orphans = state.isBound ? [] : state.missing.filter((microBatch) => !live.has(owners.get(microBatch)));
  const overdue = isLate ? state.missing.filter((microBatch) => live.has(owners.get(microBatch))) : [];
  const idle = state.isBound || state.backupAfter === null ? [] : idleRanks(state, owners);
  const extras = joined([...deal(state, owners, orphans, helpers(state)), ...(idle.length > 0 ? deal(state, owners, overdue, idle) : [remind(state, owners, overdue)])]);
  const given = [...state.given, ...[...extras].map(([rank, nodes]) => ({ rank, microBatches: microBatchesIn(nodes), atMs: state.nowMs }))];
  return {
    extras,
    given,
    late: idle.length > 0 ? lateShares(state, overdue, owners) : [],
    explain: isLate || orphans.length > 0 ? () => explainStep({ ...state, given }) : null,
  };
}

/** Workers whose own part of the step is still to be expected. */
const liveRanks = ({ membership }: StepState): Rank[] => presentMembers(membership).filter(({ kind }) => kind !== 'joining').map(({ rank }) => rank);

/** Who can be given work: the active ones, or where there are none those who are leaving. */
function helpers(state: StepState): Rank[] {
  const active = activeRanks(state.membership);
  return active.length > 0 ? active : liveRanks(state);
}

/** Those that wait: neither their own part is missing nor what they were given lately. */
function idleRanks(state: StepState, owners: Owners): Rank[] {
  const missing = new Set(state.missing);
  const busy = new Set<Rank | undefined>(state.missing.map((microBatch) => owners.get(microBatch)));
  for (const { rank, microBatches } of recentlyGiven(state)) {
    if (microBatches.some((microBatch) => missing.has(microBatch))) busy.add(rank);
  }
  return helpers(state).filter((rank) => !busy.has(rank));
}

const recentlyGiven = (state: StepState): Given[] => state.given.filter(({ atMs }) => state.nowMs - atMs < patienceMs(state));

/** What each late worker is given of its own, unless it was lately. */
function remind(state: StepState, owners: Owners, overdue: readonly number[]): Assignment {
  const reminded = new Set(recentlyGiven(state).flatMap(({ rank, microBatches }) => microBatches.filter((microBatch) => owners.get(microBatch) === rank)));
  const open = overdue.filter((microBatch) => !reminded.has(microBatch));
  const byOwner = Map.groupBy(open, (microBatch) => owners.get(microBatch));
  return new Map([...state.assignment.keys()].flatMap((rank) => {
    const own = byOwner.get(rank);
    return own === undefined ? [] : [[rank, nodesOf(own)] as const];
  }));
}

/** Deals what no other live worker was given lately; a micro-batch goes to those of `ranks` that were not given it before, where there are any. */
function deal(state: StepState, owners: Owners, microBatches: readonly number[], ranks: readonly Rank[]): Assignment[] {
  const live = new Set(liveRanks(state));
  const underWay = new Set(recentlyGiven(state).filter(({ rank }) => live.has(rank))
    .flatMap(({ rank, microBatches: some }) => some.filter((microBatch) => owners.get(microBatch) !== rank)));
  const open = microBatches.filter((microBatch) => !underWay.has(microBatch));
  const tried = ranksGiven(state);
  const alike = Map.groupBy(open, (microBatch) => (tried.get(microBatch) ?? []).join());
  return [...alike.values()].map((group) => {
    const untried = ranks.filter((rank) => !(tried.get(group[0] ?? -1) ?? []).includes(rank));
    return takeOver({ microBatches: group, ranks: untried.length > 0 ? untried : ranks, speeds: state.speeds });
  });
}

/** Who was given each micro-batch in this step. */
function ranksGiven({ given }: StepState): ReadonlyMap<number, readonly Rank[]> {
  const tried = new Map<number, Rank[]>();
  for (const { rank, microBatches } of given) {
    for (const microBatch of microBatches) tried.set(microBatch, [...(tried.get(microBatch) ?? []), rank]);
  }
  return tried;
}

function joined(assignments: readonly Assignment[]): Assignment {
  const microBatches = new Map<Rank, number[]>();
  for (const [rank, nodes] of assignments.flatMap((assignment) => [...assignment])) {
    microBatches.set(rank, [...(microBatches.get(rank) ?? []), ...microBatchesIn(nodes)]);
  }
  return new Map([...microBatches].map(([rank, all]) => [rank, nodesOf(all)]));
}

function lateShares(state: StepState, overdue: readonly number[], owners: Owners): Share[] {
  const late = new Set(overdue.flatMap((microBatch) => owners.get(microBatch) ?? []));
  return [...late].map((rank) => ({
    rank, microBatches: microBatchesIn(state.assignment.get(rank) ?? []).length, computeMs: state.nowMs - state.sinceMs,
  }));
}
