import { deriveSeed, type RunConfig } from '@lockstep/core';
import { createPreparation, createSampleOrder, globalBatchOf, type DataSplits } from '@lockstep/data';
import { createTrainingModel, type Engine } from '@lockstep/engine';
import { createKernels, createOptimizer } from '@lockstep/reduction';
import type { LayersModel } from '@tensorflow/tfjs';
import { BATCH } from '../workload.ts';
import type { TrainingLoop } from './training-loop.ts';

/** Lockstep's gradient and its parameter server's optimizer in one process that shares with nobody: what independent processes reach. */
export function createEngineLoop(engine: Engine, layers: LayersModel, { training, statistics, classNames }: DataSplits, config: RunConfig): TrainingLoop {
  const model = createTrainingModel(engine, layers, { loss: config.loss, numClasses: classNames.length });
  const preparation = createPreparation(config.data, training.imageShape, statistics);
  const order = createSampleOrder(config.seed, training.numExamples);
  const kernels = createKernels();
  const { totalLength, trainableLength } = model.layout;
  const parameters = kernels.allocateZeros(totalLength);
  const gradient = kernels.allocateZeros(totalLength);
  parameters.data.set(model.readParameters());
  const optimizer = createOptimizer(config.optimizer, kernels, trainableLength);
  const inputs = new Float32Array(BATCH * preparation.sampleLength);
  const current = new Float32Array(totalLength);
  let step = 0;
  return () => {
    const batch = globalBatchOf(step, training.numExamples, BATCH);
    const indices = Uint32Array.from({ length: batch.numExamples }, (_, position) => order.sampleAt(batch.epoch, batch.firstPosition + position));
    preparation.prepare(training, indices, null, inputs);
    current.set(parameters.data);
    model.loadParameters(current);
    const labels = Uint8Array.from(indices, (index) => training.labels[index]!);
    const { lossSum, numExamples } = model.gradient(inputs.subarray(0, indices.length * preparation.sampleLength), labels, deriveSeed(config.seed, 'dropout', step, 0), gradient.data);
    kernels.divide(gradient, numExamples);
    step += 1;
    optimizer.step(kernels.slice(parameters, 0, trainableLength), kernels.slice(gradient, 0, trainableLength), 1e-3, step);
    return lossSum / numExamples;
  };
}
