import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rankOf, type Rank } from '@lockstep/core';
import { assignBySpeed, planAssignment, takeOver, type Assignment } from './assignment.ts';
import { microBatchesIn } from './node-lists.ts';
import type { Speeds } from './speeds.ts';

const ranksTo = (workers: number): Rank[] => Array.from({ length: workers }, (_, rank) => rankOf(rank));
const speedsOf = (...ms: number[]): Speeds => new Map(ms.map((value, rank) => [rankOf(rank), value]));
const sizes = (assignment: Assignment): number[] => [...assignment.values()].map((nodes) => microBatchesIn(nodes).length);
const cut = (ms: readonly number[], microBatches: number): number[] => sizes(assignBySpeed(ranksTo(ms.length), speedsOf(...ms), microBatches));
const slowestMs = (ms: readonly number[], shares: readonly number[]): number => Math.max(...shares.map((share, rank) => share * (ms[rank] ?? 0)));
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

const milliseconds = fc.integer({ min: 1, max: 1000 });

describe('an assignment by speed', () => {
  it.each([
    ['equal workers', [1, 1], 8, [4, 4]],
    ['equal workers that do not divide the batch', [1, 1, 1], 8, [3, 3, 2]],
    ['whole subtrees where that costs little', [1, 1, 1], 64, [16, 24, 24]],
    ['work for everyone rather than more than one node each', [1, 1, 1, 1, 1], 8, [2, 2, 2, 1, 1]],
    ['a GPU twice as fast', [1, 2], 64, [44, 20]],
    ['two GPUs twice as fast', [1, 1, 2, 2], 64, [24, 24, 8, 8]],
    ['a GPU twice as fast, few micro-batches: as early as 5 and 3, in fewer nodes', [1, 2], 8, [6, 2]],
    ['a worker too slow to help', [1, 20], 8, [8, 0]],
    ['more workers than micro-batches', [1, 1, 1], 2, [1, 1, 0]],
  ])('gives %s', (_, ms, microBatches, expected) => {
    expect(cut(ms, microBatches)).toEqual(expected);
  });

  it('covers every micro-batch once, in ranges in the order of the workers, ready at most a tenth later than can be', () => {
    fc.assert(fc.property(fc.array(milliseconds, { minLength: 1, maxLength: 40 }), fc.nat(8), (ms, level) => {
      const assignment = assignBySpeed(ranksTo(ms.length), speedsOf(...ms), 2 ** level);
      expect([...assignment.keys()]).toEqual(ranksTo(ms.length));
      expect([...assignment.values()].flatMap(microBatchesIn)).toEqual(upTo(2 ** level));
      const soonestMs = Math.min(...ms.flatMap((one) => upTo(2 ** level + 1).map((share) => share * one))
        .filter((readyMs) => ms.reduce((sum, one) => sum + Math.floor(readyMs / one), 0) >= 2 ** level));
      expect(slowestMs(ms, sizes(assignment))).toBeLessThanOrEqual(soonestMs * 1.1);
    }), { seed: 1 });
  });

  it('gives a worker twice as fast about twice as much, once there is enough to divide', () => {
    fc.assert(fc.property(fc.array(fc.constantFrom(10, 20), { minLength: 2, maxLength: 6 }), (ms) => {
      const shares = cut(ms, 256);
      for (const [a, fast] of ms.entries()) {
        for (const [b, slow] of ms.entries()) {
          if (slow !== fast * 2) continue;
          const ratio = (shares[a] ?? 0) / (shares[b] ?? 0);
          expect(ratio).toBeGreaterThan(1.3);
          expect(ratio).toBeLessThan(3);
        }
      }
    }), { seed: 1 });
  });

  it('takes a worker of unknown speed for an average one, and ranks in any order', () => {
    const assignment = assignBySpeed([5, 2, 9].map(rankOf), new Map([[rankOf(5), 10], [rankOf(9), 30]]), 64);
    expect([...assignment.keys()]).toEqual([5, 2, 9]);
    expect(sizes(assignment)).toEqual(cut([10, 20, 30], 64));
  });

  it('is done in no time that a coordinator would notice, for 256 workers of 4096 micro-batches', () => {
    const started = performance.now();
    cut(upTo(256).map((rank) => 10 + (rank % 7)), 4096);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

describe('a plan', () => {
  const plan = (current: Assignment | null, ranks: readonly Rank[], speeds: Speeds) => planAssignment({ current, ranks, speeds, microBatches: 8 });
  const even = assignBySpeed(ranksTo(2), new Map(), 8);

  it.each([
    ['assigns when nothing is yet', null, [0, 1], [], 'with workers 0, 1'],
    ['assigns when a worker comes', even, [0, 1, 2], [], 'with worker 2'],
    ['assigns when a worker goes', even, [1], [], 'without worker 0'],
    ['assigns when one takes the place of another', even, [0, 2], [], 'with worker 2, without worker 1'],
    ['assigns when a step becomes a tenth shorter', even, [0, 1], [10, 15], 'the slowest worker computes 50.0 ms a step instead of 60.0 ms'],
    ['keeps what stands when it becomes only a little shorter', even, [0, 1], [10, 13.8], null],
    ['keeps what stands when the speeds do not matter', even, [0, 1], [10, 10.5], null],
    ['keeps what stands when there is nobody', even, [], [], null],
  ])('%s', (_, current, ranks, ms, reason) => {
    const decision = plan(current, ranks.map(rankOf), speedsOf(...ms));
    expect(decision.kind === 'assign' ? decision.reason : null).toBe(reason);
  });

  it('stands once it is made, so that the same speeds never move work again', () => {
    fc.assert(fc.property(fc.array(milliseconds, { minLength: 1, maxLength: 10 }), fc.nat(8), (ms, level) => {
      const state = { ranks: ranksTo(ms.length), speeds: speedsOf(...ms), microBatches: 2 ** level };
      expect(planAssignment({ ...state, current: assignBySpeed(state.ranks, state.speeds, state.microBatches) })).toEqual({ kind: 'keep' });
    }), { seed: 1 });
  });
});

describe('a takeover', () => {
  it('deals exactly the missing micro-batches, each once, the fast first', () => {
    const missing = fc.uniqueArray(fc.nat(63), { maxLength: 64 });
    fc.assert(fc.property(missing, fc.array(milliseconds, { minLength: 1, maxLength: 8 }), (microBatches, ms) => {
      const dealt = takeOver({ microBatches, ranks: ranksTo(ms.length), speeds: speedsOf(...ms) });
      expect([...dealt.values()].flatMap(microBatchesIn).sort((a, b) => a - b)).toEqual([...microBatches].sort((a, b) => a - b));
      if (microBatches.length === 1) expect(ms[[...dealt.keys()][0] ?? 0]).toBe(Math.min(...ms));
    }), { seed: 1 });
  });

  it('keeps runs together as subtrees, and gives nothing where nobody is there', () => {
    expect(takeOver({ microBatches: [4, 5, 6, 7, 9], ranks: ranksTo(1), speeds: new Map() }))
      .toEqual(new Map([[0, [{ level: 2, index: 1 }, { level: 0, index: 9 }]]]));
    expect(takeOver({ microBatches: [1], ranks: [], speeds: new Map() })).toEqual(new Map());
  });
});
