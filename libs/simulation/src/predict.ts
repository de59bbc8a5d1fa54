import { medianOf } from '@lockstep/core';
import { breakDown, meanParts, totalOf, type StepParts } from './breakdown.ts';
import { microBatchesOf, type Cluster } from './cluster.ts';
import { checkpointMs, recoveryMs } from './recovery.ts';
import { TrainingSimulation } from './training-simulation.ts';

/** What a cluster of so many workers does. */
export interface Prediction {
  readonly workers: number;
  readonly hosts: number;
  readonly shards: number;
  readonly microBatches: number;
  /** Of a step in the mean, checkpoints and lost workers included. */
  readonly stepMs: number;
  /** Of the simulated steps, without these. */
  readonly medianStepMs: number;
  readonly samplesPerSecond: number;
  /** Samples a second and worker, against the first prediction of a list. */
  readonly efficiency: number;
  readonly parts: StepParts;
}

export interface PredictionOptions {
  /** Steps over which the mean is taken. */
  readonly steps: number;
  readonly seed: number;
}

/** Predicts each number of workers; efficiency is relative to the first of them. */
export function predictAll(cluster: Cluster, workers: readonly number[], options: PredictionOptions): Prediction[] {
  const predictions = workers.map((count) => predict(cluster, count, options));
  const perWorker = predictions[0] === undefined ? 1 : predictions[0].samplesPerSecond / predictions[0].workers;
  return predictions.map((prediction) => ({ ...prediction, efficiency: prediction.samplesPerSecond / prediction.workers / perWorker }));
}

/** Simulates a cluster with so many workers. */
export function predict(cluster: Cluster, workers: number, { steps, seed }: PredictionOptions): Prediction {
  const simulation = new TrainingSimulation(cluster, workers, seed);
  simulation.warmUp();
  let before = simulation.step();
  const all = Array.from({ length: steps }, () => {
    const step = simulation.step();
    const parts = breakDown(step, before, cluster.overheadMs);
    before = step;
    return parts;
  });
  const mean = meanParts(all);
  const quietMs = totalOf(mean);
  const parts = { ...mean, checkpoint: checkpointMs(cluster, simulation.layout, quietMs), recovery: recoveryMs(cluster, workers, seed, quietMs) };
  const stepMs = totalOf(parts);
  const microBatches = microBatchesOf(cluster, workers);
  return {
    workers, hosts: new Set(simulation.layout.hostOfWorker).size, shards: simulation.layout.placements.length, microBatches,
    stepMs, medianStepMs: medianOf(all.map(totalOf)), samplesPerSecond: (microBatches * cluster.microBatchSize * 1000) / stepMs, efficiency: 1, parts,
  };
}
