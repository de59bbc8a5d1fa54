import type { DataOptions, LossOptions, ModelOptions, OptimizerOptions, RunOptions, ZooModel } from '@lockstep/core';
import type * as tf from '@tensorflow/tfjs';

/** TensorFlow.js's own functions (`layers`, `sequential`, `model`, `input`, …) and what the data says. */
export type ModelContext = typeof tf & {
  /** One sample as the model sees it, without the batch. */
  readonly sampleShape: readonly number[];
  readonly numClasses: number;
  readonly seed: number;
};

/**
 * Builds a model from TensorFlow.js's layers; it gives one value a class. Initial values come from the run's seed,
 * for every initializer that has none of its own.
 */
export type BuildModel = (context: ModelContext) => tf.LayersModel | Promise<tf.LayersModel>;

/** Shorthands by TensorFlow.js's names; the model's output is logits. An object says more, see `LossOptions`. */
export type LossName = 'sparseCategoricalCrossentropy' | 'categoricalCrossentropy' | 'meanSquaredError';

/** What a person writes; every field has a default. */
export interface RunDefinition extends Omit<RunOptions, 'data' | 'model' | 'loss' | 'optimizer'> {
  readonly data?: DataOptions;
  /** A model of the zoo by name or with options, or a function that builds any LayersModel. */
  readonly model?: ZooModel | ModelOptions | BuildModel;
  readonly loss?: LossName | LossOptions;
  readonly optimizer?: OptimizerOptions;
}

/** Types a config file; `export default defineRun({ … })`. */
export function defineRun(definition: RunDefinition): RunDefinition {
  return definition;
}
