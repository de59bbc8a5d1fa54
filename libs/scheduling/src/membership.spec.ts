import { expect, it } from 'vitest';
import { rankOf, type Capabilities } from '@lockstep/core';
import {
  activeRanks, decideStart, describeMember, memberOf, presentMembers, silentMembers, withActive, withHeard, withJoined, withLeaving, withLeft, withLost,
  withRejoined, type Membership,
} from './membership.ts';

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

it('takes back a worker by its rank, known or not, and keeps the order', () => {
  const membership = withRejoined(withRejoined([], rankOf(7), machine, 5), rankOf(3), machine, 6);
  expect(membership.map(({ rank: number, kind, lastHeardMs }) => [number, kind, lastHeardMs])).toEqual([[3, 'joining', 6], [7, 'joining', 5]]);
  expect(withJoined(membership, machine, 0).rank).toBe(8);
  const back = withRejoined(withLost(active(2), rankOf(0), 'silent', 9), rankOf(0), machine, 10);
  expect(back).toHaveLength(2);
  expect(memberOf(withActive(back, rankOf(0)), rankOf(0))).toEqual({ kind: 'active', rank: 0, capabilities: machine, lastHeardMs: 10 });
});

it('gives no rank that an earlier coordinator has given', () => {
  expect(withJoined([], machine, 0, 4).rank).toBe(4);
  expect(withJoined(active(6), machine, 0, 4).rank).toBe(6);
});

it('assigns nothing more to a worker that leaves, and knows it as gone once it has left', () => {
  const leaving = withLeaving(active(3), rankOf(1));
  expect(activeRanks(leaving)).toEqual([0, 2]);
  expect(presentMembers(leaving).map((member) => member.rank)).toEqual([0, 1, 2]);
  const left = withLeft(leaving, rankOf(1));
  expect(presentMembers(left).map((member) => member.rank)).toEqual([0, 2]);
  expect(withLost(left, rankOf(1), 'connection broke', 1)).toEqual(left);
  expect(decideStart(leaving, 3)).toEqual({ kind: 'wait', reason: '2 of 3 workers have joined' });
});

it('describes who is there and what became of who is not', () => {
  const [member] = active(1);
  const inWords = (of: Membership): string => describeMember(of[0]!);
  expect(describeMember(member!)).toBe('worker 0 (a, process 1)');
  expect(inWords(withLost(active(1), rankOf(0), 'connection broke', 1))).toBe('worker 0 (a, process 1): connection broke');
  expect(inWords(withLeft(active(1), rankOf(0)))).toBe('worker 0 (a, process 1): has left');
});
