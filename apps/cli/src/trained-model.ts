import { readFile } from 'node:fs/promises';
import { decodeSafetensors, flatFromTensors, readLayersModel, type RunDirectory, type Safetensors, type TrainedOn } from '@lockstep/checkpoint';
import { layOutWholeModel, LockstepError, messageOf, runSchema, type RunConfig } from '@lockstep/core';
import { createTrainingModel, detectCapabilities, loadEngine, type Engine, type TrainingModel } from '@lockstep/engine';
import { transformerLayers } from '@lockstep/models';
import { chooseNumerics } from '@lockstep/scheduling';
import { inEngineProcess } from './engine-process.ts';

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
  const config = await readConfig(run);
  const file = await readSafetensors(run);
  const numerics = chooseNumerics({ ...config.numerics, instructionSet: 'auto' }, [await detectCapabilities(config.numerics.engine)]);
  await inEngineProcess(numerics, async () => {
    const trained = await openTrainedModel(run, config, file, await loadEngine(numerics));
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

async function readConfig(run: RunDirectory): Promise<RunConfig> {
  const text = (await read(run, 'config.json')).toString('utf8');
  try {
    return runSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new LockstepError('storage', `${run.file('config.json')}: not the config of a run`, { cause });
  }
}

async function read(run: RunDirectory, name: string): Promise<Buffer> {
  try {
    return await readFile(run.file(name));
  } catch (cause) {
    throw new LockstepError('not-found', `run ${run.name} has no ${name}: ${run.file(name)}`, { cause, hint: 'a run has its model once it has ended' });
  }
}

async function readSafetensors(run: RunDirectory): Promise<Safetensors> {
  const bytes = await read(run, 'model.safetensors');
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
