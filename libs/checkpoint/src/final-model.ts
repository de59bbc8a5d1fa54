import type { ParameterLayout } from '@lockstep/core';
import type { ImageShape, Statistics } from '@lockstep/data';
import { writeLayersModel } from './layers-model.ts';
import type { RunDirectory } from './run-directory.ts';
import { encodeSafetensors } from './safetensors.ts';

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
  /** One after another they make up the flat vector of `layout`. */
  readonly vectors: readonly Float32Array[];
}

/** Writes a run's final model: `model/`, which TensorFlow.js opens, and `model.safetensors`, whose metadata says what it was trained on. */
export async function saveFinalModel(run: RunDirectory, final: FinalModel): Promise<void> {
  const { classNames, imageShape, statistics } = final;
  const metadata = { format: 'lockstep', trainedOn: JSON.stringify({ classNames, imageShape, statistics }) };
  await writeLayersModel(run.file('model'), final);
  await run.writeAtomically('model.safetensors', encodeSafetensors(final.layout, final.vectors, metadata));
}

export interface FinalLanguageModel {
  /** What it is besides its tensors. */
  readonly description: object;
  /** Of what was trained: what was frozen stays where the run's config says. */
  readonly layout: ParameterLayout;
  readonly parameters: Float32Array;
}

/** Writes a language model's `model.safetensors`, whose metadata says what it is. */
export async function saveLanguageModel(run: RunDirectory, { description, layout, parameters }: FinalLanguageModel): Promise<void> {
  const metadata = { format: 'lockstep', model: JSON.stringify(description) };
  await run.writeAtomically('model.safetensors', encodeSafetensors(layout, [parameters], metadata));
}
