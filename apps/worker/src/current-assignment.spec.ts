import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leafOf, nodesOf } from '@lockstep/reduction';
import { microBatchesIn } from '@lockstep/scheduling';
import { CurrentAssignment } from './current-assignment.ts';

const nothing: ReadonlySet<number> = new Set();
const part = (fromStep: number, untilStep: number, ...microBatches: number[]) => ({ fromStep, untilStep, nodes: microBatches.map(leafOf) });
const extra = (step: number, ...microBatches: number[]) => ({ step, nodes: microBatches.map(leafOf) });

function current() {
  let changes = 0;
  const assignment = new CurrentAssignment(() => {
    changes += 1;
  });
  return { assignment, changes: () => changes, todo: (step: number, done = nothing) => microBatchesIn(assignment.todo(step, done)) };
}

describe('an assignment', () => {
  it('stands until told otherwise', () => {
    const { assignment, todo } = current();
    assignment.set(part(0, 1000, 1, 2));
    for (const step of [0, 1, 999]) expect(todo(step)).toEqual([1, 2]);
  });

  it('goes no farther than the coordinator has let it', () => {
    const { assignment, todo, changes } = current();
    expect(todo(0)).toEqual([]);
    assignment.set(part(0, 10, 0));
    expect(todo(9)).toEqual([0]);
    expect(todo(10)).toEqual([]);
    assignment.set(part(10, 20, 3));
    expect([todo(9), todo(10)]).toEqual([[0], [3]]);
    expect(changes()).toBe(2);
  });

  it('is the latest word about a step', () => {
    const { assignment, todo } = current();
    assignment.set(part(0, 100, 0));
    assignment.set(part(50, 100, 1));
    expect([assignment.standingAt(49), assignment.standingAt(50)]).toEqual([[leafOf(0)], [leafOf(1)]]);
    assignment.set(part(20, 60, 2));
    expect([todo(10), todo(50)]).toEqual([[0], [2]]);
  });

  it('of a step to come leaves those before it as they are, however many are given ahead', () => {
    const { assignment, todo } = current();
    assignment.set(part(0, 1000, 0));
    for (let ahead = 1; ahead <= 50; ahead += 1) assignment.set(part(100 + ahead, 1000, ahead % 8));
    expect([todo(3), todo(100), todo(150)]).toEqual([[0], [0], [2]]);
  });

  it('that comes late holds for the current step at once, without what is done', () => {
    const { assignment, todo } = current();
    assignment.set(part(0, 100, 0, 1));
    expect(todo(30, new Set([0, 1]))).toEqual([]);
    assignment.set(part(25, 100, 0, 1, 2, 3));
    expect(assignment.todo(30, new Set([0, 1]))).toEqual([{ level: 1, index: 1 }]);
  });

  it('holds for earlier steps too when the shards go back', () => {
    const { assignment, todo } = current();
    assignment.set(part(100, 500, 0));
    assignment.set(part(120, 500, 1));
    assignment.add(extra(80, 7));
    assignment.rewind(true);
    expect(todo(80)).toEqual([1]);
    assignment.set(part(80, 500, 2));
    expect([todo(79), todo(80), todo(130)]).toEqual([[1], [2], [2]]);
  });

  it('does not hold for earlier steps where a part of a step is bound to its worker', () => {
    const { assignment, todo } = current();
    assignment.set(part(100, 500, 0));
    assignment.rewind(false);
    expect(todo(80)).toEqual([]);
    assignment.set(part(80, 500, 2));
    expect([todo(80), todo(130)]).toEqual([[2], [2]]);
  });

  it('forgets what stood for steps that are past', () => {
    const { assignment, todo } = current();
    for (let step = 0; step < 100; step += 1) assignment.set(part(step, 1000, step));
    expect([todo(98), todo(99), todo(97)]).toEqual([[98], [99], []]);
  });
});

describe('extra nodes', () => {
  it('are for one step, besides what stands', () => {
    const { assignment, todo, changes } = current();
    assignment.set(part(0, 100, 0, 1));
    assignment.add(extra(5, 6));
    assignment.add(extra(5, 7, 1));
    expect(todo(4)).toEqual([0, 1]);
    expect(assignment.todo(5, nothing)).toEqual([{ level: 1, index: 0 }, { level: 1, index: 3 }]);
    expect(todo(5, new Set([0, 1]))).toEqual([6, 7]);
    expect(todo(6)).toEqual([0, 1]);
    expect(changes()).toBe(3);
  });

  it('are forgotten with their step', () => {
    const { assignment, todo } = current();
    assignment.add(extra(5, 6));
    expect(todo(6)).toEqual([]);
    expect(todo(5)).toEqual([]);
  });
});

it('gives out exactly what is assigned and not done, whatever came in whatever order', () => {
  const microBatches = fc.uniqueArray(fc.nat(31));
  fc.assert(fc.property(microBatches, fc.array(microBatches), microBatches, (standing, extras, finished) => {
    const { assignment, todo } = current();
    for (const microBatchesOfOne of extras) assignment.add({ step: 3, nodes: nodesOf(microBatchesOfOne) });
    assignment.set({ fromStep: 0, untilStep: 9, nodes: nodesOf(standing) });
    const wanted = new Set([...standing, ...extras.flat()]);
    expect(todo(3, new Set(finished))).toEqual([...wanted].filter((microBatch) => !finished.includes(microBatch)).sort((a, b) => a - b));
  }));
});
