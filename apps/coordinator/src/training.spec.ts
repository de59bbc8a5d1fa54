import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRunDirectory, openReceiptWriter } from '@lockstep/checkpoint';
import { layOutParameters, runSchema } from '@lockstep/core';
import { planRun, sizeOfImages } from '@lockstep/scheduling';
import { BlockShelf } from '@lockstep/transport';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Checkpoints } from './checkpoints.ts';
import type { RunDataset } from './dataset.ts';
import { EvaluationRounds } from './evaluation-round.ts';
import { RunRecord } from './run-record.ts';
import { Training } from './training.ts';

const STEPS_PER_EPOCH = 10;
const plan = planRun({ stepsPerEpoch: STEPS_PER_EPOCH, epochs: 4, maxSteps: null });
const config = runSchema.parse({ checkpoints: { everyMinutes: null, everyEpoch: false } });
const withoutValidation = { sizes: { validation: sizeOfImages(0) } } as unknown as RunDataset;

let runs: string;
beforeEach(() => { runs = mkdtempSync(join(tmpdir(), 'training-spec-')); });
afterEach(() => rmSync(runs, { recursive: true, force: true }));

async function train(onEpoch: () => Promise<void>) {
  const directory = await createRunDirectory(runs, 'run');
  const { writer } = await openReceiptWriter(directory.file('receipts.jsonl'), { resumeAt: null, stepsPerEpoch: STEPS_PER_EPOCH });
  const record = new RunRecord(plan, writer, (version) => version % STEPS_PER_EPOCH === 0);
  record.start(0);
  const acknowledged = Promise.withResolvers<{ readonly stepsBefore: number; readonly snapshotsBefore: number }>();
  const training = new Training({
    config, plan, record, receipts: writer, dataset: withoutValidation, epochs: [], onEpoch,
    checkpoints: new Checkpoints({
      config, directory, plan, runId: 'r', configSha256: '', layout: layOutParameters([{ name: 'bias', shape: [1], kind: 'trainable' }]), trainSamples: 80,
      onWritten: () => undefined, onWarning: () => undefined,
    }),
    rounds: new EvaluationRounds(new BlockShelf(), () => [], () => undefined),
    sink: { write: () => undefined, close: () => Promise.resolve() },
    letGo: () => undefined, snapshotAt: () => undefined,
    acknowledge: (stepsBefore, snapshotsBefore) => acknowledged.resolve({ stepsBefore, snapshotsBefore }),
    onFailure: acknowledged.reject,
  });
  const finish = (from: number, to: number) => {
    for (let step = from; step < to; step += 1) {
      training.finishStep({ step, numExamples: 8, numCorrect: 4, lossSum: 1, numNonFinite: 0, learningRate: 0.1, workers: [], digests: [step], atMs: performance.timeOrigin + performance.now() });
    }
  };
  return { training, finish, acknowledged: acknowledged.promise };
}

it('acknowledges the steps that were on the disk when a copy came, and not those that were made meanwhile', async () => {
  const judging = Promise.withResolvers<void>();
  const { training, finish, acknowledged } = await train(() => judging.promise);
  finish(0, 12);
  training.takeSnapshot({ version: 10, parameters: Float32Array.of(1), slots: [] });
  await new Promise(setImmediate);
  finish(12, 18);
  judging.resolve();
  expect(await acknowledged).toEqual({ stepsBefore: 12, snapshotsBefore: 11 });
});

it('acknowledges no copy before the verdict on its epoch is recorded', async () => {
  const judged = Promise.withResolvers<void>();
  const judging = Promise.withResolvers<void>();
  const { training, finish, acknowledged } = await train(() => {
    judging.resolve();
    return judged.promise;
  });
  let isAcknowledged = false;
  void acknowledged.then(() => { isAcknowledged = true; });
  finish(0, 10);
  training.takeSnapshot({ version: 10, parameters: Float32Array.of(1), slots: [] });
  await judging.promise;
  await new Promise(setImmediate);
  expect(isAcknowledged).toBe(false);
  judged.resolve();
  await acknowledged;
});
