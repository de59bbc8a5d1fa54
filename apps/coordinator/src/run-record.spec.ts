import { describe, expect, it } from 'vitest';
import { bytesOf, sha256 } from '@lockstep/core';
import type { Receipt } from '@lockstep/checkpoint';
import { planRun } from '@lockstep/scheduling';
import { RunRecord } from './run-record.ts';

const plan = planRun({ stepsPerEpoch: 3, epochs: 2, maxSteps: null });

function record(needsHash: (version: number) => boolean) {
  const receipts: Receipt[] = [];
  const run = new RunRecord(plan, { write: (receipt) => void receipts.push(receipt) }, needsHash);
  run.start(0);
  const finish = (step: number, lossSum = 10 * step) => run.finishStep({
    step, numExamples: 10, numCorrect: step, lossSum, numNonFinite: 0, learningRate: 0.5, workers: [{ rank: 0, microBatches: 8, computeMs: 1 }],
    digests: [step, 255], atMs: performance.timeOrigin + performance.now(),
  });
  return { run, receipts, finish };
}

const parametersAt = (version: number): Float32Array => Float32Array.of(version, 1);
const hashAt = (version: number): string => sha256(bytesOf(parametersAt(version)));

describe('receipts', () => {
  it('are written at once for steps that need no hash', () => {
    const { receipts, finish } = record(() => false);
    finish(0);
    expect(receipts).toEqual([{ kind: 'step', step: 0, version: 1, loss: 0, accuracy: 0, lossSum: 0, numCorrect: 0, numExamples: 10, digests: '00000000000000ff', parametersSha256: null }]);
  });

  it('keep the order of steps while one waits for its hash', () => {
    const { run, receipts, finish } = record((version) => version === 2);
    for (const step of [0, 1, 2, 3]) finish(step);
    expect(receipts.map((receipt) => receipt.kind === 'step' && receipt.step)).toEqual([0]);
    run.noteHash(2, hashAt(2));
    expect(receipts.map((receipt) => receipt.kind === 'step' && [receipt.step, receipt.parametersSha256])).toEqual([[0, null], [1, hashAt(2)], [2, null], [3, null]]);
  });

  it('have their hash where it comes before the step is known to be complete', () => {
    const { run, receipts, finish } = record((version) => version === 1);
    run.noteHash(1, hashAt(1));
    expect(receipts).toEqual([]);
    finish(0);
    expect(receipts).toMatchObject([{ step: 0, version: 1, parametersSha256: hashAt(1) }]);
  });

  it('wait for each hash in turn, late ones in any order', () => {
    const { run, receipts, finish } = record((version) => version % 2 === 0);
    for (const step of [0, 1, 2, 3, 4, 5]) finish(step);
    run.noteHash(6, hashAt(6));
    run.noteHash(4, hashAt(4));
    expect(receipts).toHaveLength(1);
    run.noteHash(2, hashAt(2));
    expect(receipts.map((receipt) => receipt.kind === 'step' && receipt.parametersSha256)).toEqual([null, hashAt(2), null, hashAt(4), null, hashAt(6)]);
  });
});

describe('what a run knows of itself', () => {
  it('is the mean of a step, its epoch and its workers', () => {
    const { finish } = record(() => false);
    const events = [0, 1, 2, 3].map((step) => finish(step)!);
    expect(events[3]).toMatchObject({ event: 'step', step: 3, epoch: 1, loss: 3, accuracy: 0.3, learningRate: 0.5, numExamples: 10, workers: [{ rank: 0, microBatches: 8, computeMs: 1 }] });
    expect(events.map(({ epoch }) => epoch)).toEqual([0, 0, 0, 1]);
  });

  it('is the mean over an epoch\'s samples, each epoch anew', () => {
    const { run, finish } = record(() => false);
    [0, 1, 2].forEach((step) => finish(step));
    expect(run.finishEpoch(0)).toMatchObject({ loss: 1, accuracy: 0.1 });
    [3, 4, 5].forEach((step) => finish(step));
    expect(run.finishEpoch(1)).toMatchObject({ loss: 4, accuracy: 0.4 });
    expect(run.totals).toMatchObject({ trainExamples: 60, steps: 6 });
  });

  it('is time that only grows', () => {
    const { run, finish } = record(() => false);
    const [first, second] = [finish(0), finish(1)];
    expect(second!.elapsedSeconds).toBeGreaterThanOrEqual(first!.elapsedSeconds);
    expect(run.totals.trainSeconds).toBe(second!.elapsedSeconds);
  });

  it('is of one epoch also where steps of the next are made before it is looked at', () => {
    const { run, finish } = record(() => false);
    [0, 1, 2, 3, 4].forEach((step) => finish(step));
    expect(run.finishEpoch(0)).toMatchObject({ loss: 1, accuracy: 0.1 });
  });
});

describe('a step that is made again', () => {
  it('counts once', () => {
    const { run, receipts, finish } = record(() => false);
    [0, 1, 2].forEach((step) => finish(step));
    expect([1, 2].map((step) => finish(step))).toEqual([null, null]);
    expect(finish(3)).not.toBeNull();
    expect(receipts.map((receipt) => receipt.kind === 'step' && receipt.step)).toEqual([0, 1, 2, 3]);
    expect(run.totals).toMatchObject({ trainExamples: 40, steps: 4 });
  });

  it('must give the same loss', () => {
    const { finish } = record(() => false);
    finish(0, 1.25);
    expect(() => finish(0, 1.5)).toThrow('step 0 was made again with loss sum 1.5, the first time it was 1.25');
  });

  it('must not leave one out', () => {
    const { finish } = record(() => false);
    finish(0);
    expect(() => finish(2)).toThrow('step 2 is made after step 0');
  });
});

describe('a run that goes on', () => {
  it('has what was recorded before', () => {
    const { run, receipts, finish } = record(() => false);
    run.restore({ hasRun: true, numSteps: 4, numExamples: 40, epochTallies: new Map([[1, { numExamples: 10, numCorrect: 3, lossSum: 30, numNonFinite: 0 }]]) });
    run.start(100);
    expect(finish(2)).toBeNull();
    expect(finish(4)!.elapsedSeconds).toBeGreaterThanOrEqual(100);
    finish(5);
    expect(run.finishEpoch(1)).toMatchObject({ loss: 4, accuracy: 0.4 });
    expect(run.totals).toMatchObject({ trainExamples: 60, steps: 6 });
    expect(receipts.map((receipt) => receipt.kind === 'step' && receipt.step)).toEqual([4, 5]);
  });
});
