import type { EndEvent, EpochEvent, StartEvent, StepEvent, WorkerEvent } from '@lockstep/core';

const HASH = 'ab'.repeat(32);

/** Events of a run of two epochs of 100 steps by two workers, for the specs. */
export const start: StartEvent = {
  event: 'start', run: 'demo', directory: 'runs/demo', model: 'mlp', parameters: 101770, frozenParameters: 0, examples: 'images', classNames: ['a', 'b'], trainSamples: 6400, validationSamples: 0,
  testSamples: 1000, epochs: 2, stepsPerEpoch: 100, totalSteps: 200, globalBatchSize: 64, microBatches: 4, resumedFrom: 0,
  numerics: { engineBuild: 'tensorflow 2.21.0 cpu', device: 'cpu', gpuKind: null, intraOpThreads: 1, oneDnn: true, instructionSet: 'AVX2', deterministicOps: true },
};

export const worker = (rank: number, state: WorkerEvent['state'] = 'joined', reason?: string): WorkerEvent =>
  ({ event: 'worker', rank, state, hostname: 'box', pid: 100 + rank, device: 'cpu', ...(reason === undefined ? {} : { reason }) });

/** A step takes 20 ms, of which worker 0 computes 16 and worker 1 8. */
export const step = (number: number): StepEvent => ({
  event: 'step', step: number, epoch: Math.floor(number / 100), loss: 1 / (number + 1), accuracy: number / 200, learningRate: 0.001, numExamples: 64,
  elapsedSeconds: (number + 1) * 0.02, examplesPerSecond: 3200, workers: [{ rank: 0, microBatches: 2, computeMs: 16 }, { rank: 1, microBatches: 2, computeMs: 8 }],
});

export const epoch = (number: number, validation: EpochEvent['validation'] = null): EpochEvent => ({
  event: 'epoch', epoch: number, step: number * 100 + 99, loss: 0.25, accuracy: 0.9, validation, elapsedSeconds: (number + 1) * 2, examplesPerSecond: 3200, parametersSha256: HASH,
});

export const end: EndEvent = {
  event: 'end', run: 'demo', directory: 'runs/demo', steps: 200, epochs: 2, parametersSha256: HASH, examples: 'images', trainExamples: 12800, trainSeconds: 4,
  examplesPerSecond: 3200, test: { loss: 0.125, accuracy: 0.95 }, stoppedEarly: null,
};
