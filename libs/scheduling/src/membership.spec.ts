import { expect, it } from 'vitest';
import type { Capabilities } from '@lockstep/core';
import { decideStart, silentMembers, withActive, withHeard, withJoined, withLost, type Membership } from './membership.ts';

const machine: Capabilities = { engineBuild: 'tensorflow 2.21.0 cpu', device: 'cpu', gpuKind: null, instructionSet: 'AVX2', hostname: 'a', pid: 1 };
const joined = (count: number, nowMs = 0): Membership =>
  Array.from({ length: count }).reduce<Membership>((membership) => withJoined(membership, machine, nowMs).membership, []);
const active = (count: number): Membership => joined(count).reduce((membership, { rank }) => withActive(membership, rank), joined(count));
const rank = (membership: Membership, index: number) => membership[index]!.rank;

it('starts when enough workers have built the model', () => {
  expect(decideStart(joined(1), 2)).toEqual({ kind: 'wait', reason: '1 of 2 workers have joined' });
  expect(decideStart(joined(2), 2)).toEqual({ kind: 'wait', reason: 'worker 0, worker 1 build the model' });
  const half = joined(2);
  expect(decideStart(withActive(half, rank(half, 0)), 2)).toEqual({ kind: 'wait', reason: 'worker 1 builds the model' });
  expect(decideStart(active(3), 2)).toEqual({ kind: 'start', ranks: [0, 1, 2] });
});

it('does not count a worker that was lost', () => {
  const membership = active(2);
  expect(decideStart(withLost(membership, rank(membership, 0), 'connection broke', 1), 2)).toEqual({ kind: 'wait', reason: '1 of 2 workers have joined' });
});

it('finds who has been silent for too long, to the millisecond', () => {
  const membership = withHeard(active(2), rank(active(2), 1), 500);
  expect(silentMembers(membership, 2000, 2000)).toEqual([]);
  expect(silentMembers(membership, 2001, 2000).map((member) => member.rank)).toEqual([0]);
  expect(silentMembers(membership, 2501, 2000).map((member) => member.rank)).toEqual([0, 1]);
  expect(silentMembers(withLost(membership, rank(membership, 0), 'silent', 1), 2501, 2000).map((member) => member.rank)).toEqual([1]);
});

it('never gives a rank twice', () => {
  const membership = active(2);
  expect(withJoined(withLost(membership, rank(membership, 0), 'gone', 1), machine, 0).rank).toBe(2);
});
