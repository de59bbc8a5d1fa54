import type { DataOptions, LossOptions, ModelOptions, OptimizerOptions, RunOptions, ZooModel } from '@lockstep/core';
import type * as tf from '@tensorflow/tfjs';

/**
 * Builds a model from TensorFlow.js. `shape` is one sample's, without the batch; `numClasses` is the data's.
 * The initial weights come from seeds that Lockstep gives to every initializer that has none.
 */
export type BuildModel = (context: ModelContext) => tf.LayersModel;

/** TensorFlow.js's own functions (`layers`, `sequential`, `model`, `input`, …) and what the data says. */
export type ModelContext = typeof tf & {
  readonly sampleShape: readonly number[];
  readonly numClasses: number;
  readonly seed: number;
};

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
