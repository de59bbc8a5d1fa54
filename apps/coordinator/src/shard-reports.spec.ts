import { describe, expect, it } from 'vitest';
import { bytesOf, sha256 } from '@lockstep/core';
import { BlockShelf, type FinishedStep } from '@lockstep/transport';
import { joinCoverage, ShardReports } from './shard-reports.ts';

const step = (number: number, atMs = number): FinishedStep => ({ step: number, numExamples: 10, numCorrect: 1, lossSum: number, numNonFinite: 0, learningRate: 1, workers: [], digests: [], atMs });

function reports(shards: number, firstStep = 0) {
  const shelf = new BlockShelf();
  const finished: FinishedStep[] = [];
  const snapshots: { readonly version: number; readonly states: readonly number[][] }[] = [];
  const all = new ShardReports(shards, firstStep, shelf, {
    finished: (each) => finished.push(each),
    snapshot: (version, states) => snapshots.push({ version, states: states.map((state) => [...state]) }),
  });
  const copy = (shard: number, version: number, ...values: number[]) => {
    const bytes = bytesOf(Float32Array.from(values));
    all.takeSnapshot(shard, version, shelf.arrive(sha256(bytes), bytes));
  };
  return { all, finished, snapshots, copy };
}

describe('finished steps', () => {
  it('are complete with the last shard, at its time', () => {
    const { all, finished } = reports(2);
    all.takeSteps(0, [step(0, 5)]);
    expect(finished).toEqual([]);
    all.takeSteps(1, [step(0, 9)]);
    expect(finished).toEqual([step(0, 9)]);
  });

  it('are told in order and once, whatever comes twice, late or before its turn', () => {
    const { all, finished } = reports(2, 3);
    all.takeSteps(0, [step(5), step(6)]);
    all.takeSteps(1, [step(2), step(3), step(4), step(5)]);
    all.takeSteps(0, [step(3), step(4), step(5)]);
    all.takeSteps(0, [step(3), step(4), step(5), step(6)]);
    all.takeSteps(1, [step(6)]);
    expect(finished.map(({ step: number }) => number)).toEqual([3, 4, 5, 6]);
  });
});

describe('copies of the state', () => {
  it('are whole with the last shard, in range order, once', () => {
    const { snapshots, copy } = reports(2);
    copy(1, 10, 3, 4);
    copy(0, 10, 1, 2);
    copy(0, 10, 1, 2);
    copy(1, 10, 3, 4);
    expect(snapshots).toEqual([{ version: 10, states: [[1, 2], [3, 4]] }]);
  });

  it('of an older version that is not whole will not be, once a newer one is', () => {
    const { snapshots, copy } = reports(2);
    copy(0, 10, 1);
    copy(0, 11, 2);
    copy(1, 11, 3);
    copy(1, 10, 4);
    expect(snapshots.map(({ version }) => version)).toEqual([11]);
  });
});

it('says which shards have not told of the first step that is not made', () => {
  const { all } = reports(3, 4);
  expect(all.untold).toEqual([0, 1, 2]);
  all.takeSteps(1, [step(4), step(5)]);
  expect(all.untold).toEqual([0, 2]);
});

describe('the coverage over all shards', () => {
  const part = (shard: number, version: number, ...missingMicroBatches: number[]) => ({ generation: 1, shard, version, missingMicroBatches, waitsFor: '' });
  const joined = (...parts: ReturnType<typeof part>[]) => joinCoverage(new Map(parts.map((each) => [each.shard, each])), []);
  const waiting = (shard: number) => ({ shard, waitsFor: '' });

  it('is what any shard at the step lacks', () => {
    expect(joined(part(0, 7, 4, 1), part(1, 7, 1, 2))).toEqual({ step: 7, missing: [1, 2, 4], behind: [waiting(0), waiting(1)], untold: [], isSplit: false });
  });

  it('is that of the shards that are behind', () => {
    expect(joined(part(0, 8, 0, 1, 2, 3), part(1, 7, 3))).toEqual({ step: 7, missing: [3], behind: [waiting(1)], untold: [], isSplit: true });
  });

  it('is not known before all have parameters', () => {
    expect(joined(part(0, 7), part(1, -1, 0))).toEqual({ unknown: 'the initial parameters have not come' });
  });
});
