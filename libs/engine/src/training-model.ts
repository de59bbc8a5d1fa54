import type { LossConfig, ParameterLayout, ParameterSpec } from '@lockstep/core';
import type { LayersModel } from '@tensorflow/tfjs';
import { ChainTrainingModel } from './chain/chain-training-model.ts';
import { compileChain } from './chain/compile-chain.ts';
import type { Engine } from './engine.ts';
import { checkLayers } from './layer-rules.ts';
import { LayersTrainingModel } from './layers-training-model.ts';
import { perExampleLoss } from './loss.ts';
import { checkOutputs } from './output-check.ts';
import type { TokenBatch } from './token-batch.ts';

export interface MicroBatchGradient {
  /** In layout order: for trainables the gradient of the loss *sum* over the examples, for buffers the delta times `numExamples`. */
  readonly flat: Float32Array;
  readonly lossSum: number;
  readonly numCorrect: number;
  readonly numExamples: number;
}

export interface Evaluation {
  readonly lossSum: number;
  readonly numCorrect: number;
  /** `[n, numClasses]` */
  readonly probabilities: Float32Array;
}

/** A model's tensors as the trainer sees them: flat vectors in layout order. */
export interface ModelTensors {
  readonly layout: ParameterLayout;
  /** All tensors, the frozen ones too, which are not in the layout. */
  readonly specs: readonly ParameterSpec[];
  /** What the model is besides its tensors: of layers what a TensorFlow.js `model.json` holds as `modelTopology`; its weights have the layout's names. */
  readonly topology: object;
  /** The current values, a fresh array. */
  readParameters(): Float32Array;
  /** The values of each frozen tensor, in the model's order, as they are asked for. */
  readFrozen(): Iterable<Float32Array>;
  loadFrozen(values: Float32Array): void;
  /** The model may alias `flat` (it may lie in shared memory): the caller does not write it until the next load. */
  loadParameters(flat: Float32Array): void;
  dispose(): void;
}

/** A model that classifies, as a worker uses it: parameters in, gradient of a micro-batch out. */
export interface TrainingModel extends ModelTensors {
  /**
   * The gradient of one micro-batch, a pure function of the parameters last loaded and its arguments.
   * `inputs` are `[n, ...sampleShape]`, `labels` `[n]` class numbers, `seed` that of all random draws. The result's
   * `flat` is `into` where that is given (layout length, may be shared memory), else a fresh array.
   */
  gradient(inputs: Float32Array, labels: Uint8Array, seed: number, into?: Float32Array): MicroBatchGradient;
  /** Loss and probabilities in inference mode; the caller bounds `n` by its memory. */
  evaluate(inputs: Float32Array, labels: Uint8Array): Evaluation;
}

/** A model that predicts the next token. An example is a token that counts: those of a batch whose target is not -1. */
export interface LanguageModel extends ModelTensors {
  /** The gradient of one micro-batch, a pure function of the parameters last loaded and its arguments, as that of a `TrainingModel`. */
  gradient(batch: TokenBatch, seed: number, into?: Float32Array): MicroBatchGradient;
  /** Sums over the tokens that count, in inference mode. `numCorrect`: where the most probable token is the target. */
  evaluate(batch: TokenBatch): Omit<MicroBatchGradient, 'flat'>;
}

export interface TrainingModelOptions {
  readonly loss: LossConfig;
  readonly numClasses: number;
}

/**
 * Takes `model` over: the result disposes it.
 * @throws LockstepError `config` when its outputs do not fit the loss or the number of classes.
 */
export function createTrainingModel(engine: Engine, model: LayersModel, { loss, numClasses }: TrainingModelOptions): TrainingModel {
  checkLayers(model);
  checkOutputs(model, loss, numClasses);
  const chain = loss.kind === 'crossEntropy' && loss.fromLogits ? compileChain(engine, model) : null;
  if (chain !== null && loss.kind === 'crossEntropy') return new ChainTrainingModel(engine, model, chain, { numClasses, labelSmoothing: loss.labelSmoothing });
  return new LayersTrainingModel(engine, model, perExampleLoss(engine, loss, numClasses), {
    numClasses,
    outputsAre: loss.kind === 'crossEntropy' && loss.fromLogits ? 'logits' : 'probabilities',
  });
}
