import { readFile } from 'node:fs/promises';
import {
  decodeSafetensors, encodeSafetensors, flatFromTensors, readLayersModel, writeLayersModel, type RunDirectory, type Safetensors,
} from '@lockstep/checkpoint';
import { LockstepError, messageOf, runSchema, type ParameterLayout, type RunConfig } from '@lockstep/core';
import type { ImageShape, Statistics } from '@lockstep/data';
import { createTrainingModel, detectCapabilities, loadEngine, numericsEnvironment, type Engine, type TrainingModel } from '@lockstep/engine';
import { transformerLayers } from '@lockstep/models';
import { chooseNumerics } from '@lockstep/scheduling';

/** What a model was trained on, which pictures are prepared by. */
export interface TrainedOn {
  readonly classNames: readonly string[];
  /** Of the images before any resize. */
  readonly imageShape: ImageShape;
  readonly statistics: Statistics;
}

export interface FinalModel extends TrainedOn {
  readonly topology: object;
  readonly layout: ParameterLayout;
  readonly flat: Float32Array;
}

/** A run's model, ready to evaluate. The caller disposes `model`. */
export interface TrainedModel extends TrainedOn {
  readonly config: RunConfig;
  readonly model: TrainingModel;
}

/** Writes a run's final model: `model/`, which TensorFlow.js opens, and `model.safetensors`. */
export async function saveTrainedModel(run: RunDirectory, final: FinalModel): Promise<void> {
  const { classNames, imageShape, statistics } = final;
  const metadata = { format: 'lockstep', trainedOn: JSON.stringify({ classNames, imageShape, statistics }) };
  await writeLayersModel(run.file('model'), final);
  await run.writeAtomically('model.safetensors', encodeSafetensors(final.layout, final.flat, metadata));
}

/**
 * Opens a run's final model with the engine of this machine, in this process.
 * @throws LockstepError `not-found` if the run has not ended, `storage` if a file of it is damaged, `prerequisite` without the engine.
 */
export async function openTrainedModel(run: RunDirectory): Promise<TrainedModel> {
  const config = await readConfig(run);
  const file = decodeModel(run.file('model.safetensors'), await read(run, 'model.safetensors'));
  const trainedOn = trainedOnOf(run, file);
  const { topology } = await readLayersModel(run.file('model'));
  const engine = await loadLocalEngine(config);
  const model = await modelOf(engine, topology, config, trainedOn.classNames.length);
  model.loadParameters(flatFromTensors(model.layout, file.tensors));
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

function decodeModel(path: string, bytes: Uint8Array): Safetensors {
  try {
    return decodeSafetensors(bytes);
  } catch (cause) {
    throw new LockstepError('storage', `${path}: ${messageOf(cause)}`, { cause });
  }
}

function trainedOnOf(run: RunDirectory, { metadata }: Safetensors): TrainedOn {
  const text = metadata['trainedOn'];
  if (text !== undefined) return JSON.parse(text) as TrainedOn;
  throw new LockstepError('storage', `${run.file('model.safetensors')}: its metadata does not say what it was trained on`);
}

/** The library reads the environment when it loads, so that is set before. */
async function loadLocalEngine({ numerics }: RunConfig): Promise<Engine> {
  const local = chooseNumerics({ ...numerics, instructionSet: 'auto' }, [await detectCapabilities(numerics.engine)]);
  Object.assign(process.env, numericsEnvironment(local));
  return loadEngine(local);
}

async function modelOf(engine: Engine, topology: object, { loss }: RunConfig, numClasses: number): Promise<TrainingModel> {
  transformerLayers(engine.tf);
  const model = await engine.tf.loadLayersModel({ load: async () => ({ modelTopology: topology }) });
  return createTrainingModel(engine, model, { loss, numClasses });
}
