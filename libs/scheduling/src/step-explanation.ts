import type { Rank } from '@lockstep/core';
import { describeMember, isPresent, memberOf } from './membership.ts';
import { runsOf } from './node-lists.ts';
import { ownersOf, type StepState } from './step-state.ts';

/** Longer lists of micro-batches are cut here. */
const MOST_RUNS = 8;

/**
 * Who holds up the step in flight, since when and why, in one line:
 * `step 812 waits for micro-batches 5, 6: worker 3 (gpu-b, process 4711) silent for 1.9 s`.
 */
export function explainStep(state: StepState): string {
  if (state.missing.length === 0) {
    return `step ${state.step} has every micro-batch: ${state.shards.map(({ shard, waitsFor }) => `shard ${shard} waits for ${waitsFor}`).join('; ')}`;
  }
  const owners = ownersOf(state.assignment);
  const byOwner = [...Map.groupBy(state.missing, (microBatch) => owners.get(microBatch))];
  return `step ${state.step} waits for ${byOwner.map(([rank, microBatches]) => `${listOf(microBatches)}: ${explainHolder(state, rank, microBatches)}`).join('; ')}`;
}

function explainHolder(state: StepState, rank: Rank | undefined, microBatches: readonly number[]): string {
  const given = state.given.filter((one) => one.rank !== rank && one.microBatches.some((microBatch) => microBatches.includes(microBatch)));
  const helpers = [...new Set(given.map((one) => one.rank))];
  const help = helpers.length === 0 ? '' : `, given to worker${helpers.length === 1 ? '' : 's'} ${helpers.join(', ')}`;
  return `${rank === undefined ? 'assigned to no worker' : explainWorker(state, rank)}${help}`;
}

function explainWorker({ membership, nowMs, sinceMs, usualMs, failureDetectionMs }: StepState, rank: Rank): string {
  const member = memberOf(membership, rank);
  if (member === undefined) return `worker ${rank} has not come back`;
  if (member.kind === 'lost') return `${describeMember(member)}, lost ${seconds(nowMs - member.sinceMs)} ago`;
  if (!isPresent(member)) return describeMember(member);
  const silentMs = nowMs - member.lastHeardMs;
  if (silentMs > failureDetectionMs / 2) return `${describeMember(member)} silent for ${seconds(silentMs)}`;
  if (member.kind === 'joining') return `${describeMember(member)} is joining`;
  return `${describeMember(member)} computing for ${seconds(nowMs - sinceMs)}${usualMs === null ? '' : `, usually ${seconds(usualMs)}`}`;
}

/** `micro-batch 5`, `micro-batches 5, 6, 9 to 12`. */
function listOf(microBatches: readonly number[]): string {
  const runs = runsOf(microBatches).map(({ from, to }) => {
    if (to - from < 3) return to - from === 1 ? `${from}` : `${from}, ${from + 1}`;
    return `${from} to ${to - 1}`;
  });
  const shown = runs.length > MOST_RUNS ? [...runs.slice(0, MOST_RUNS), `… (${microBatches.length} in all)`] : runs;
  return `${microBatches.length === 1 ? 'micro-batch' : 'micro-batches'} ${shown.join(', ')}`;
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
