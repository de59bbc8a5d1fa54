import { describe, expect, it } from 'vitest';
import { bytesOf, sha256 } from '@lockstep/core';
import type { Receipt } from '@lockstep/checkpoint';
import { planRun } from '@lockstep/scheduling';
import { RunRecord } from './run-record.ts';

const plan = planRun({ stepsPerEpoch: 3, epochs: 2, maxSteps: null });

function record(needsHash: (version: number) => boolean) {
  const receipts: Receipt[] = [];
  const run = new RunRecord(plan, { write: (receipt) => void receipts.push(receipt), close: () => Promise.resolve() }, needsHash);
  run.start();
  const finish = (step: number) => run.finishStep({
    step, tally: { numExamples: 10, numCorrect: step, lossSum: 10 * step }, learningRate: 0.5, workers: [{ rank: 0, microBatches: 8, computeMs: 1 }],
  }, performance.timeOrigin + performance.now());
  return { run, receipts, finish };
}

const parametersAt = (version: number): Float32Array => Float32Array.of(version, 1);
const hashAt = (version: number): string => sha256(bytesOf(parametersAt(version)));

describe('receipts', () => {
  it('are written at once for steps that need no hash', () => {
    const { receipts, finish } = record(() => false);
    finish(0);
    expect(receipts).toEqual([{ kind: 'step', step: 0, version: 1, loss: 0, accuracy: 0, numExamples: 10, parametersSha256: null }]);
  });

  it('keep the order of steps while one waits for its hash', () => {
    const { run, receipts, finish } = record((version) => version === 2);
    for (const step of [0, 1, 2, 3]) finish(step);
    expect(receipts.map((receipt) => receipt.kind === 'step' && receipt.step)).toEqual([0]);
    expect(run.hashVersion(2, parametersAt(2))).toBe(hashAt(2));
    expect(receipts.map((receipt) => receipt.kind === 'step' && [receipt.step, receipt.parametersSha256])).toEqual([[0, null], [1, hashAt(2)], [2, null], [3, null]]);
  });

  it('have their hash where it comes before the step is known to be complete', () => {
    const { run, receipts, finish } = record((version) => version === 1);
    run.hashVersion(1, parametersAt(1));
    expect(receipts).toEqual([]);
    finish(0);
    expect(receipts).toMatchObject([{ step: 0, version: 1, parametersSha256: hashAt(1) }]);
  });

  it('wait for each hash in turn, late ones in any order', () => {
    const { run, receipts, finish } = record((version) => version % 2 === 0);
    for (const step of [0, 1, 2, 3, 4, 5]) finish(step);
    run.hashVersion(6, parametersAt(6));
    run.hashVersion(4, parametersAt(4));
    expect(receipts).toHaveLength(1);
    run.hashVersion(2, parametersAt(2));
    expect(receipts.map((receipt) => receipt.kind === 'step' && receipt.parametersSha256)).toEqual([null, hashAt(2), null, hashAt(4), null, hashAt(6)]);
  });
});

describe('what a run knows of itself', () => {
  it('is the mean of a step, its epoch and its workers', () => {
    const { finish } = record(() => false);
    const events = [0, 1, 2, 3].map(finish);
    expect(events[3]).toMatchObject({ event: 'step', step: 3, epoch: 1, loss: 3, accuracy: 0.3, learningRate: 0.5, numExamples: 10, workers: [{ rank: 0, microBatches: 8, computeMs: 1 }] });
    expect(events.map(({ epoch }) => epoch)).toEqual([0, 0, 0, 1]);
  });

  it('is the mean over an epoch\'s samples, each epoch anew', () => {
    const { run, finish } = record(() => false);
    [0, 1, 2].forEach(finish);
    expect(run.finishEpoch()).toMatchObject({ loss: 1, accuracy: 0.1 });
    [3, 4, 5].forEach(finish);
    expect(run.finishEpoch()).toMatchObject({ loss: 4, accuracy: 0.4 });
    expect(run.totals).toMatchObject({ trainSamples: 60, steps: 6 });
  });

  it('is time that only grows', () => {
    const { run, finish } = record(() => false);
    const [first, second] = [finish(0), finish(1)];
    expect(second!.elapsedSeconds).toBeGreaterThanOrEqual(first!.elapsedSeconds);
    expect(run.totals.trainSeconds).toBe(second!.elapsedSeconds);
  });
});
