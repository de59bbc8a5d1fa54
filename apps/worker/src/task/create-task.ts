import { importModelFunction, type ConfigBundle, type RunConfig } from '@lockstep/core';
import { createPreparation, decodeSplits } from '@lockstep/data';
import { createTrainingModel, type Engine } from '@lockstep/engine';
import { buildModel, type BuildModel } from '@lockstep/models';
import type { EngineThreadData } from '../engine-messages.ts';
import { ClassificationTask } from './classification-task.ts';
import { backboneSource, initialise } from './model-files.ts';
import { createLanguageTask } from './language-task.ts';
import type { TrainingTask } from './training-task.ts';

/** Builds the run's model for its data. */
export function createTask(engine: Engine, { config, dataset, modelBundle }: Pick<EngineThreadData, 'config' | 'dataset' | 'modelBundle'>): Promise<TrainingTask> {
  return dataset.kind === 'tokens' ? createLanguageTask(engine, config, dataset.path) : createClassificationTask(engine, config, modelBundle, dataset.block);
}

async function createClassificationTask(engine: Engine, config: RunConfig, modelBundle: ConfigBundle | null, block: SharedArrayBuffer): Promise<TrainingTask> {
  const splits = decodeSplits(new Uint8Array(block));
  const { sampleShape } = createPreparation(config.data, splits.training.imageShape, splits.statistics);
  const numClasses = splits.classNames.length;
  const shape = { sampleShape, numClasses, seed: config.seed };
  const custom = modelBundle === null ? {} : { custom: await customModel(modelBundle, shape) };
  const backbone = await backboneSource(config);
  const layers = await buildModel(engine, config.model, { ...shape, ...custom, ...(backbone === null ? {} : { backbone }) });
  const model = createTrainingModel(engine, layers, { loss: config.loss, numClasses });
  await initialise(model, config.initFrom);
  return new ClassificationTask(config, model, splits);
}

/** The config file's own model function, which gets TensorFlow.js and what the data says in one object. */
async function customModel(bundle: ConfigBundle, shape: object): Promise<BuildModel> {
  const build = await importModelFunction(bundle);
  return (tf) => build({ ...tf, ...shape }) as ReturnType<BuildModel>;
}
