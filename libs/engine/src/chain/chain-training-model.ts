import type { ParameterLayout, ParameterSpec } from '@lockstep/core';
import type { LayersModel } from '@tensorflow/tfjs';
import { argMaxEquals, softmaxRows, sumOf } from '../class-rows.ts';
import type { Engine } from '../engine.ts';
import { checkExamples } from '../examples.ts';
import { targetRows } from '../loss.ts';
import { ModelParameters } from '../model-parameters.ts';
import { nativeBackendOf, OpAttributes, type OpAttribute } from '../native-backend.ts';
import { NativeOps, type Handle } from '../native-ops.ts';
import { stableNames, topologyWithStableNames } from '../stable-names.ts';
import type { Evaluation, MicroBatchGradient, TrainingModel } from '../training-model.ts';
import type { Chain } from './compile-chain.ts';
import type { Pass } from './stage.ts';

/** What the loss op gives: the loss of each example and the gradient at the logits. */
interface LossOutputs {
  readonly lossRows: Handle;
  readonly dLogits: Handle;
}

/** A Sequential model of common layers, run as a chain of TensorFlow's ops, with cross-entropy from logits. */
export class ChainTrainingModel implements TrainingModel {
  readonly layout: ParameterLayout;
  readonly specs: readonly ParameterSpec[];
  readonly topology: object;
  readonly #model: LayersModel;
  readonly #chain: Chain;
  readonly #ops: NativeOps;
  readonly #numClasses: number;
  readonly #labelSmoothing: number;
  readonly #sampleShape: readonly number[];
  readonly #denseLoss: readonly OpAttribute[];
  readonly #sparseLoss: readonly OpAttribute[];
  #flat: Float32Array;
  #parameters: readonly Handle[];

  constructor(engine: Engine, model: LayersModel, chain: Chain, { numClasses, labelSmoothing }: { numClasses: number; labelSmoothing: number }) {
    const backend = nativeBackendOf(engine)!;
    const attribute = new OpAttributes(backend);
    const parameters = new ModelParameters(engine.tf, model);
    this.layout = parameters.layout;
    this.specs = parameters.specs;
    this.topology = topologyWithStableNames(model.toJSON(null, false) as object, stableNames(model));
    this.#model = model;
    this.#chain = chain;
    this.#ops = new NativeOps(backend);
    this.#numClasses = numClasses;
    this.#labelSmoothing = labelSmoothing;
    this.#sampleShape = model.inputs[0]!.shape.slice(1).map(Number);
    this.#denseLoss = [attribute.type('T', 'TF_FLOAT')];
    this.#sparseLoss = [...this.#denseLoss, attribute.type('Tlabels', 'TF_INT32')];
    this.#flat = parameters.read();
    this.#parameters = this.#place(this.#flat);
  }

  readParameters(): Float32Array {
    return this.#flat.slice();
  }

  /** A model with anything frozen is no chain. */
  readFrozen(): Iterable<Float32Array> {
    return [];
  }

  loadFrozen(): void {
    return undefined;
  }

  loadParameters(flat: Float32Array): void {
    for (const parameter of this.#parameters) this.#ops.free(parameter);
    this.#flat = flat;
    this.#parameters = this.#place(flat);
  }

  gradient(inputs: Float32Array, labels: Uint8Array, seed: number, into: Float32Array = new Float32Array(this.layout.totalLength)): MicroBatchGradient {
    checkExamples(inputs, labels, this.#sampleShape, this.#numClasses);
    return this.#ops.scoped(() => {
      const pass = this.#passOf(labels, true, seed);
      const logits = this.#forward(pass, inputs);
      const { lossRows, dLogits } = this.#loss(logits, labels);
      const gradients = this.#backward(pass, dLogits);
      return { flat: this.#flatten(gradients, into), ...this.#scores(lossRows, this.#ops.read(logits), labels) };
    });
  }

  evaluate(inputs: Float32Array, labels: Uint8Array): Evaluation {
    checkExamples(inputs, labels, this.#sampleShape, this.#numClasses);
    return this.#ops.scoped(() => {
      const logits = this.#forward(this.#passOf(labels, false, 0), inputs);
      const { lossRows } = this.#loss(logits, labels);
      const rows = this.#ops.read(logits);
      const { lossSum, numCorrect } = this.#scores(lossRows, rows, labels);
      return { lossSum, numCorrect, probabilities: softmaxRows(rows, this.#numClasses) };
    });
  }

  dispose(): void {
    for (const parameter of this.#parameters) this.#ops.free(parameter);
    this.#parameters = [];
    this.#model.dispose();
  }

  #passOf(labels: Uint8Array, training: boolean, seed: number): Pass {
    return { ops: this.#ops, parameters: this.#parameters, training, numExamples: labels.length, seed };
  }

  #forward(pass: Pass, inputs: Float32Array): Handle {
    const x = this.#ops.floats(inputs, [pass.numExamples, ...this.#chain.inputShape]);
    return this.#chain.stages.reduce((value, stage) => stage.forward(pass, value), x);
  }

  #loss(logits: Handle, labels: Uint8Array): LossOutputs {
    const [lossRows, dLogits] = this.#labelSmoothing > 0
      ? this.#ops.runTwo('SoftmaxCrossEntropyWithLogits', this.#denseLoss, [logits, this.#ops.floats(targetRows(labels, this.#numClasses, this.#labelSmoothing), [labels.length, this.#numClasses])])
      : this.#ops.runTwo('SparseSoftmaxCrossEntropyWithLogits', this.#sparseLoss, [logits, this.#ops.ints(Int32Array.from(labels))]);
    return { lossRows, dLogits };
  }

  /** The gradient of each parameter, in layout order. */
  #backward(pass: Pass, dLogits: Handle): readonly Handle[] {
    const { stages, firstTrainable } = this.#chain;
    const gradients: Handle[] = [];
    let dy = dLogits;
    for (let index = stages.length - 1; index >= firstTrainable; index--) dy = stages[index]!.backward(pass, dy, gradients, index === firstTrainable);
    return gradients;
  }

  #flatten(gradients: readonly Handle[], flat: Float32Array): Float32Array {
    this.layout.parameters.forEach(({ offset }, index) => flat.set(this.#ops.read(gradients[index]!), offset));
    return flat;
  }

  #scores(lossRows: Handle, logits: Float32Array, labels: Uint8Array): Omit<MicroBatchGradient, 'flat'> {
    return { lossSum: sumOf(this.#ops.read(lossRows)), numCorrect: argMaxEquals(logits, labels, this.#numClasses), numExamples: labels.length };
  }

  #place(flat: Float32Array): Handle[] {
    return this.layout.parameters.map(({ offset, length, shape }) => this.#ops.floats(flat.subarray(offset, offset + length), shape));
  }
}
