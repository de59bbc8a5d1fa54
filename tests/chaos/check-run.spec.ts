import { describe, expect, it } from 'vitest';
import type { StepReceipt } from '@lockstep/checkpoint';
import type { EndEvent, EpochEvent } from '@lockstep/core';
import { checkEnd, checkEpochs, checkSamples } from './check-run.ts';
import type { QuietRun } from './quiet-run.ts';

const end: EndEvent = {
  event: 'end', run: 'run', directory: 'runs/run', steps: 4, epochs: 2, parametersSha256: 'a'.repeat(64), examples: 'images', trainExamples: 20, trainSeconds: 1, examplesPerSecond: 20,
  test: { loss: 0.5, accuracy: 0.75 }, stoppedEarly: null,
};
const epoch = (number: number): EpochEvent => ({
  event: 'epoch', epoch: number, step: number * 2 + 1, loss: 1 / (number + 1), accuracy: 0.5, validation: { loss: 0.7, accuracy: 0.5 }, elapsedSeconds: number, examplesPerSecond: 20,
  parametersSha256: 'b'.repeat(64),
});
const quiet: QuietRun = { directory: 'runs/quiet', end, epochs: [epoch(0), epoch(1)], stepsPerEpoch: 2, globalBatchSize: 6, trainSamples: 10 };
const receipt = (step: number, numExamples: number): StepReceipt => ({ kind: 'step', step, version: step + 1, loss: 1, numExamples, parametersSha256: null }) as StepReceipt;
const receipts = [receipt(0, 6), receipt(1, 4), receipt(2, 6), receipt(3, 4)];

describe('the check of a run', () => {
  it('passes the figures of the quiet run, however long they took', () => {
    expect(checkEnd([{ ...end, run: 'other', trainSeconds: 9 }], quiet)).toEqual([]);
    expect(checkEpochs([{ ...epoch(0), elapsedSeconds: 9 }, epoch(1), epoch(1)], quiet)).toEqual([]);
    expect(checkSamples(receipts, quiet)).toEqual([]);
  });

  it('names a hash or a figure that differs in its last bit', () => {
    expect(checkEnd([{ ...end, parametersSha256: `${'a'.repeat(63)}b` }], quiet)).toHaveLength(1);
    expect(checkEnd([{ ...end, test: { loss: 0.5 + 2 ** -53, accuracy: 0.75 } }], quiet)).toEqual([expect.stringContaining('test')]);
    expect(checkEpochs([epoch(0), { ...epoch(1), loss: 0.5 + 2 ** -53 }], quiet)).toEqual([expect.stringContaining('epoch 1')]);
  });

  it('names an end or an epoch that was not told of, or told of twice', () => {
    expect(checkEnd([], quiet)).toEqual(['0 ends were told of']);
    expect(checkEnd([end, end], quiet)).toEqual(['2 ends were told of']);
    expect(checkEpochs([epoch(1)], quiet)).toEqual(['epoch 0 was never told of']);
  });

  it('names a step that is missing, doubled or not whole', () => {
    expect(checkSamples(receipts.slice(0, 3), quiet)).toHaveLength(1);
    expect(checkSamples([receipts[0]!, ...receipts], quiet)).toHaveLength(2);
    expect(checkSamples([receipts[0]!, receipt(1, 5), ...receipts.slice(2)], quiet)).toEqual([expect.stringContaining('the receipt after step 0')]);
  });
});
