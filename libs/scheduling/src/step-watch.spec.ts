import { expect, it } from 'vitest';
import { rankOf, type Capabilities, type Rank } from '@lockstep/core';
import { assignBySpeed } from './assignment.ts';
import { withActive, withHeard, withJoined, withLeaving, withLeft, withLost, type Membership } from './membership.ts';
import { microBatchesIn } from './node-lists.ts';
import { stepInFlight, type StepState } from './step-state.ts';
import { decideExtras, watchStep } from './step-watch.ts';

const NOW = 10_000;
const machine = (rank: number): Capabilities =>
  ({ engineBuild: 'tensorflow 2.21.0 cpu', device: 'cpu', gpuKind: null, instructionSet: 'AVX2', hostname: `gpu-${'abcd'[rank]}`, pid: 4711 + rank });

function active(workers: number): Membership {
  let membership: Membership = [];
  for (let rank = 0; rank < workers; rank += 1) {
    const joined = withJoined(membership, machine(rank), 0);
    membership = withHeard(withActive(joined.membership, joined.rank), joined.rank, NOW);
  }
  return membership;
}
const ranks = (...numbers: number[]): Rank[] => numbers.map(rankOf);

/** Four workers of equal speed with two of eight micro-batches each; a step takes 100 ms and began so long ago. */
const step = (waitedMs: number, changes: Partial<StepState> = {}): StepState => ({
  nowMs: NOW, sinceMs: NOW - waitedMs, usualMs: 100, backupAfter: 3, failureDetectionMs: 2000, step: 812, missing: [4, 5], shards: [{ shard: 0, waitsFor: '' }],
  assignment: assignBySpeed(ranks(0, 1, 2, 3), new Map(), 8), given: [], membership: active(4), speeds: new Map(), isBound: false, ...changes,
});
const extrasOf = (state: StepState): Record<number, number[]> =>
  Object.fromEntries([...decideExtras(state).extras].map(([rank, nodes]) => [rank, microBatchesIn(nodes)]));
const lost = withLost(active(4), rankOf(2), 'connection broke', NOW - 300);

it.each([
  ['a lost worker\'s part goes to the others at once', step(10, { membership: lost }), { 0: [4], 1: [5] }],
  ['only that part goes to them while others are still at their own', step(10, { membership: lost, missing: [3, 4, 5] }), { 0: [4], 1: [5] }],
  ['one that has left counts like a lost one', step(10, { membership: withLeft(active(4), rankOf(2)) }), { 0: [4], 1: [5] }],
  ['one that a restarted coordinator has not seen again counts like a lost one', step(10, { membership: active(4).filter(({ rank }) => rank !== 2) }), { 0: [4], 1: [5] }],
  ['what nobody is assigned is given to somebody', step(10, { assignment: new Map() }), { 0: [4], 1: [5] }],
  ['a worker that is only slow is left alone for a while', step(299), {}],
  ['then idle workers compute its part too', step(300), { 0: [4], 1: [5] }],
  ['but none whose own part is missing as well', step(300, { missing: [0, 4, 5, 7] }), { 1: [0, 4, 5, 7] }],
  ['and where all are late each is given its own again, lest its assignment was lost', step(300, { missing: [0, 2, 4, 6] }), { 0: [0], 1: [2], 2: [4], 3: [6] }],
  ['as where the config wants no backups, after the detection time', step(2000, { backupAfter: null }), { 2: [4, 5] }],
  ['and not before', step(1999, { backupAfter: null }), {}],
  ['or where nobody else can compute it', step(2000, { isBound: true }), { 2: [4, 5] }],
  ['which is nobody where its worker is gone', step(2000, { isBound: true, membership: withLost(active(4), rankOf(2), 'connection broke', NOW - 300) }), {}],
  ['nor does anybody help in a first step, whose usual time nobody knows, before a multiple of the detection time', step(5999, { usualMs: null }), {}],
  ['a step of under a millisecond is late after 50 ms', step(49, { usualMs: 0.5 }), {}],
  ['a leaving worker still computes its own part', step(10, { membership: withLeaving(active(4), rankOf(2)) }), {}],
  ['a leaving worker is given nothing', step(10, { membership: withLeaving(lost, rankOf(0)) }), { 1: [4], 3: [5] }],
  ['a leaving worker is given what nobody else is there for', step(10, { membership: withLeaving(lost.slice(0, 1), rankOf(0)) }), { 0: [4, 5] }],
  ['a fast worker is given more', step(10, { membership: lost, missing: [4, 5], speeds: new Map([[rankOf(0), 50], [rankOf(1), 50], [rankOf(3), 5]]) }), { 3: [4, 5] }],
  ['nothing is missing, nothing is given', step(5000, { missing: [] }), {}],
])('%s', (_, state, expected) => {
  expect(extrasOf(state)).toEqual(expected);
});

it('gives the same again only after another interval, and then to others', () => {
  const first = step(10, { membership: lost });
  const { given } = decideExtras(first);
  expect(extrasOf({ ...first, given })).toEqual({});
  expect(extrasOf({ ...first, given, nowMs: NOW + 299 })).toEqual({});
  expect(extrasOf({ ...first, given, nowMs: NOW + 300 })).toEqual({ 1: [4], 0: [5] });
  const again = decideExtras({ ...first, given, nowMs: NOW + 300 });
  expect(extrasOf({ ...first, given: again.given, nowMs: NOW + 600 })).toEqual({ 3: [4, 5] });
});

it('gives a late worker its own again only after another interval, and helps it as soon as one is idle', () => {
  const allLate = step(300, { missing: [0, 2, 4, 6] });
  const { given } = decideExtras(allLate);
  expect(extrasOf({ ...allLate, given, nowMs: NOW + 299 })).toEqual({});
  expect(extrasOf({ ...allLate, given, nowMs: NOW + 300 })).toEqual({ 0: [0], 1: [2], 2: [4], 3: [6] });
  expect(extrasOf({ ...allLate, given, nowMs: NOW + 1, missing: [4] })).toEqual({ 0: [4] });
});

it('gives it again to the only worker that is left, whose message may have been lost with its connection', () => {
  const first = step(10, { membership: lost.slice(0, 1) });
  const { given } = decideExtras(first);
  expect(extrasOf({ ...first, membership: lost.slice(0, 1), given, nowMs: NOW + 300 })).toEqual({ 0: [4, 5] });
});

it('gives it to others at once when whoever was given it is lost too', () => {
  const first = step(10, { membership: lost });
  const { given } = decideExtras(first);
  expect(extrasOf({ ...first, given, membership: withLost(lost, rankOf(0), 'connection broke', NOW) })).toEqual({ 1: [4] });
});

it('tells who keeps idle workers waiting, so that the next assignment knows', () => {
  expect(decideExtras(step(300)).late).toEqual([{ rank: 2, microBatches: 2, computeMs: 300 }]);
  expect(decideExtras(step(300, { missing: [0, 2, 4, 6] })).late).toEqual([]);
  expect(decideExtras(step(299)).late).toEqual([]);
});

it.each([
  [step(3200), 'step 812 waits for micro-batches 4, 5: worker 2 (gpu-c, process 4713) computing for 3.2 s, usually 0.1 s, given to workers 0, 1'],
  [step(3200, { backupAfter: null, usualMs: null, missing: [4] }), 'step 812 waits for micro-batch 4: worker 2 (gpu-c, process 4713) computing for 3.2 s'],
  [step(3200, { backupAfter: null, membership: active(4).map((member) => (member.rank === 2 ? { ...member, lastHeardMs: NOW - 1900 } : member)) }),
    'step 812 waits for micro-batches 4, 5: worker 2 (gpu-c, process 4713) silent for 1.9 s'],
  [step(10, { membership: lost }), 'step 812 waits for micro-batches 4, 5: worker 2 (gpu-c, process 4713): connection broke, lost 0.3 s ago, given to workers 0, 1'],
  [step(10, { membership: lost.filter(({ rank }) => rank === 3), missing: [0, 1, 2, 3, 6] }),
    'step 812 waits for micro-batches 0, 1: worker 0 has not come back, given to worker 3; micro-batches 2, 3: worker 1 has not come back, given to worker 3; '
    + 'micro-batch 6: worker 3 (gpu-d, process 4714) computing for 0.0 s, usually 0.1 s'],
  [step(3200, { missing: [], shards: [{ shard: 1, waitsFor: 'its replica' }, { shard: 3, waitsFor: 'the norms of shard 0' }] }),
    'step 812 has every micro-batch: shard 1 waits for its replica; shard 3 waits for the norms of shard 0'],
])('explains in one line who holds a step up, since when and why (%#)', (state, expected) => {
  expect(decideExtras(state).explain?.()).toBe(expected);
});

it('says nothing of a step that takes no longer than usual', () => {
  expect(decideExtras(step(299)).explain).toBeNull();
});

it('lists many micro-batches in runs', () => {
  const assignment = assignBySpeed(ranks(2), new Map(), 64);
  const everyOther = Array.from({ length: 20 }, (_, index) => index * 2);
  expect(decideExtras(step(500, { assignment, missing: [0, 1, 2, 3, 9] })).explain?.()).toContain('micro-batches 0 to 3, 9: worker 2');
  expect(decideExtras(step(500, { assignment, missing: everyOther })).explain?.()).toContain('micro-batches 0, 2, 4, 6, 8, 10, 12, 14, … (20 in all): worker 2');
});

it('asks the shards when a step is late, and again in the same intervals, never later than the detection time', () => {
  expect(watchStep({ ...step(299), queriedMs: null })).toEqual({ kind: 'wait', untilMs: NOW + 1 });
  expect(watchStep({ ...step(300), queriedMs: null })).toEqual({ kind: 'query' });
  expect(watchStep({ ...step(500), queriedMs: NOW - 100 })).toEqual({ kind: 'wait', untilMs: NOW + 200 });
  expect(watchStep({ ...step(1999, { usualMs: 60_000 }), queriedMs: null })).toEqual({ kind: 'wait', untilMs: NOW + 1 });
  expect(watchStep({ ...step(2000, { backupAfter: null }), queriedMs: null })).toEqual({ kind: 'query' });
});

it('takes for the step in flight that of the shard which is furthest behind', () => {
  const at = (shard: number, version: number, ...missing: number[]) => ({ shard, version, missing, waitsFor: `what ${shard} waits for` });
  expect(stepInFlight([at(0, 7, 0, 1, 2, 3), at(1, 6, 3), at(2, 6, 1, 3)]))
    .toEqual({ step: 6, missing: [1, 3], shards: [{ shard: 1, waitsFor: 'what 1 waits for' }, { shard: 2, waitsFor: 'what 2 waits for' }] });
  expect(stepInFlight([at(0, 0), at(1, -1)])).toBeNull();
  expect(stepInFlight([])).toBeNull();
});
