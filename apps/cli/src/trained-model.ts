import { decodeSafetensors, flatFromTensors, readLayersModel, type RunDirectory, type Safetensors, type TrainedOn } from '@lockstep/checkpoint';
import { layOutWholeModel, LockstepError, messageOf, type RunConfig } from '@lockstep/core';
import { createTrainingModel, type Engine, type TrainingModel } from '@lockstep/engine';
import { transformerLayers } from '@lockstep/models';
import { readRunConfig, readRunFile } from './run-files.ts';
import { useEngine } from './use-engine.ts';

/** A run's model, ready to evaluate. */
export interface TrainedModel extends TrainedOn {
  readonly config: RunConfig;
  readonly model: TrainingModel;
}

/**
 * Gives `use` a run's final model on the engine of this machine, in a process of its own where the engine needs one.
 * @throws LockstepError `not-found` if the run has not ended, `storage` if a file of it is damaged, `prerequisite` without the engine.
 */
export async function useTrainedModel(run: RunDirectory, use: (trained: TrainedModel) => Promise<void>): Promise<void> {
  const config = await readRunConfig(run);
  const file = await readSafetensors(run);
  await useEngine(config.numerics, async (engine) => {
    const trained = await openTrainedModel(run, config, file, engine);
    await use(trained);
    trained.model.dispose();
  });
}

/** What a run's final model was trained on. @throws LockstepError as `useTrainedModel`. */
export async function readTrainedOn(run: RunDirectory): Promise<TrainedOn> {
  return trainedOnOf(run, await readSafetensors(run));
}

async function openTrainedModel(run: RunDirectory, config: RunConfig, file: Safetensors, engine: Engine): Promise<TrainedModel> {
  const trainedOn = trainedOnOf(run, file);
  const { topology } = await readLayersModel(run.file('model'));
  const model = await modelOf(engine, topology, config, trainedOn.classNames.length);
  const flat = flatFromTensors(layOutWholeModel(model.specs), file.tensors);
  model.loadParameters(flat.subarray(0, model.layout.totalLength));
  model.loadFrozen(flat.subarray(model.layout.totalLength));
  return { ...trainedOn, config, model };
}

async function readSafetensors(run: RunDirectory): Promise<Safetensors> {
  const bytes = await readRunFile(run, 'model.safetensors');
  try {
    return decodeSafetensors(bytes);
  } catch (cause) {
    throw new LockstepError('storage', `${run.file('model.safetensors')}: ${messageOf(cause)}`, { cause });
  }
}

function trainedOnOf(run: RunDirectory, { metadata }: Safetensors): TrainedOn {
  const text = metadata['trainedOn'];
  if (text !== undefined) return JSON.parse(text) as TrainedOn;
  throw new LockstepError('storage', `${run.file('model.safetensors')}: its metadata does not say what it was trained on`);
}

async function modelOf(engine: Engine, topology: object, { loss }: RunConfig, numClasses: number): Promise<TrainingModel> {
  transformerLayers(engine.tf);
  const model = await engine.tf.loadLayersModel({ load: async () => ({ modelTopology: topology }) });
  return createTrainingModel(engine, model, { loss, numClasses });
}
