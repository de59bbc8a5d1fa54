import { describe, expect, it } from 'vitest';
import { epochOf, type RunEvent, type StartEvent, type StepEvent } from '@lockstep/core';
import { calibrate } from './calibrate.ts';
import { clusterSchema, type Cluster } from './cluster.ts';
import { compareRuns } from './compare.ts';
import { measureRun, type MeasuredRun } from './measured-run.ts';
import { TrainingSimulation } from './training-simulation.ts';

const STEPS = 120;
const machine = clusterSchema.parse({
  parameters: 225_034, microBatchSize: 32, microBatches: 8, workersPerHost: 64, cores: 2, coordinatorOnFirstHost: true,
  microBatchMs: 12, jitter: 0.04, contention: 0.1, overheadMs: 2, messageMs: 0.3, checkpointMinutes: null,
});

const start = (workers: number): StartEvent => ({
  event: 'start', run: `run-${workers}`, directory: '', model: 'cnn', parameters: 225_034, frozenParameters: 0, examples: 'images', classNames: [], trainSamples: 0, validationSamples: 0, testSamples: 0, epochs: 2,
  stepsPerEpoch: 50, totalSteps: STEPS, globalBatchSize: 256, microBatches: 8, resumedFrom: 0,
  numerics: { engineBuild: '', device: 'cpu', gpuKind: null, intraOpThreads: 1, oneDnn: true, instructionSet: 'AVX2', deterministicOps: true },
});

/** The events of a run on a machine that is exactly as the model says. */
function eventsOf(cluster: Cluster, workers: number): RunEvent[] {
  const simulation = new TrainingSimulation(cluster, workers, 7);
  const steps = Array.from({ length: STEPS }, (_, step): StepEvent => {
    const { atMs, shares } = simulation.step();
    return {
      event: 'step', step, epoch: epochOf(Math.floor(step / 50)), loss: 1, accuracy: 0, learningRate: 0, numExamples: 256,
      elapsedSeconds: atMs / 1000, examplesPerSecond: 0, workers: shares,
    };
  });
  return [start(workers), ...steps];
}
const measure = (workers: number): MeasuredRun => measureRun(eventsOf(machine, workers));

describe('a description fitted to runs with 1 and 2 workers', () => {
  const fitted = clusterSchema.parse(calibrate([measure(1), measure(2)], {}, 2));

  it('finds what the machine is like', () => {
    expect(fitted.microBatchMs).toBeCloseTo(12, 0);
    expect(fitted.contention).toBeCloseTo(0.1, 1);
    expect(fitted.jitter).toBeCloseTo(0.04, 1);
    expect(fitted.overheadMs + fitted.messageMs * 4).toBeCloseTo(2 + 0.3 * 4, 0);
  });

  it('predicts runs with 1 to 4 workers within a twentieth', () => {
    for (const { run, error } of compareRuns(fitted, [1, 2, 3, 4].map(measure))) expect(Math.abs(error), run).toBeLessThan(0.05);
  });
});

it('names what a calibration lacks', () => {
  expect(() => calibrate([measure(2)], {}, 2)).toThrow('no run with 1 worker among those to calibrate by');
  expect(() => calibrate([measure(1), { ...measure(2), parameters: 5 }], {}, 2)).toThrow('parameters is 5 in run-2, 225034 in run-1');
});

describe('a measured run', () => {
  it('is the median of its steady steps, without those that begin an epoch', () => {
    const events = eventsOf(machine, 2);
    const slow = events.map((event) => (event.event === 'step' && event.step >= 50 ? { ...event, elapsedSeconds: event.elapsedSeconds + 100 } : event));
    expect(measureRun(slow).stepMs).toBeCloseTo(measureRun(events).stepMs);
    expect(measureRun(slow).steps).toHaveLength(measureRun(events).steps.length);
    expect(measureRun(events).steps).toHaveLength(STEPS * 0.8 - 1 - 2);
  });

  it('says when there are too few', () => {
    expect(() => measureRun(eventsOf(machine, 2).slice(0, 8))).toThrow('run run-2 has 5 steady steps, expected at least 10');
  });
});
