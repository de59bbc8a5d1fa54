import type { ParameterLayout, ParameterSpec } from '@lockstep/core';
import type { LayersModel, Tensor } from '@tensorflow/tfjs';
import { argMaxEquals, softmaxRows, sumOf } from './class-rows.ts';
import type { Engine } from './engine.ts';
import { checkExamples } from './examples.ts';
import { freezeBatchNorm } from './layer-rules.ts';
import type { PerExampleLoss } from './loss.ts';
import { ModelParameters } from './model-parameters.ts';
import { SeededRandomness } from './random-layers.ts';
import { stableNames, topologyWithStableNames } from './stable-names.ts';
import type { Evaluation, MicroBatchGradient, TrainingModel } from './training-model.ts';

interface OutputMeaning {
  readonly numClasses: number;
  readonly outputsAre: 'logits' | 'probabilities';
}

/** What a forward pass leaves: the loss of each example, the outputs and the sum of the layers' regularization losses. */
interface ForwardPass {
  readonly lossRows: Tensor;
  readonly outputs: Tensor;
  readonly penalty: Tensor | null;
}

/** A TensorFlow.js LayersModel behind the interface of a TrainingModel. */
export class LayersTrainingModel implements TrainingModel {
  readonly topology: object;
  readonly #engine: Engine;
  readonly #model: LayersModel;
  readonly #loss: PerExampleLoss;
  readonly #outputs: OutputMeaning;
  readonly #parameters: ModelParameters;
  readonly #randomness: SeededRandomness;
  readonly #sampleShape: readonly number[];

  constructor(engine: Engine, model: LayersModel, loss: PerExampleLoss, outputs: OutputMeaning) {
    this.#engine = engine;
    this.#model = model;
    this.#loss = loss;
    this.#outputs = outputs;
    this.topology = topologyWithStableNames(model.toJSON(null, false) as object, stableNames(model));
    freezeBatchNorm(model);
    this.#parameters = new ModelParameters(engine.tf, model);
    this.#randomness = new SeededRandomness(engine, model);
    this.#sampleShape = model.inputs[0]!.shape.slice(1).map(Number);
  }

  get layout(): ParameterLayout {
    return this.#parameters.layout;
  }

  get specs(): readonly ParameterSpec[] {
    return this.#parameters.specs;
  }

  readParameters(): Float32Array {
    return this.#parameters.read();
  }

  readFrozen(): Iterable<Float32Array> {
    return this.#parameters.readFrozen();
  }

  loadFrozen(values: Float32Array): void {
    this.#parameters.loadFrozen(values);
  }

  loadParameters(flat: Float32Array): void {
    this.#parameters.load(flat);
  }

  gradient(inputs: Float32Array, labels: Uint8Array, seed: number, into?: Float32Array): MicroBatchGradient {
    checkExamples(inputs, labels, this.#sampleShape, this.#outputs.numClasses);
    const read = this.#read(() => this.#randomness.during(seed, () => {
      const { pass, gradients } = this.#backward(inputs, labels);
      const deltas = this.#parameters.takeBufferDeltas(labels.length);
      return [...gradients, ...deltas, ...tensorsOf(pass)];
    }));
    const flat = read.subarray(0, this.layout.totalLength);
    into?.set(flat);
    return { flat: into ?? flat, ...this.#scores(read.subarray(this.layout.totalLength), labels) };
  }

  evaluate(inputs: Float32Array, labels: Uint8Array): Evaluation {
    checkExamples(inputs, labels, this.#sampleShape, this.#outputs.numClasses);
    const { numClasses, outputsAre } = this.#outputs;
    const read = this.#read(() => tensorsOf(this.#forward(inputs, labels, false)));
    const outputs = read.slice(labels.length, labels.length * (1 + numClasses));
    const { lossSum, numCorrect } = this.#scores(read, labels);
    return { lossSum, numCorrect, probabilities: outputsAre === 'logits' ? softmaxRows(outputs, numClasses) : outputs };
  }

  dispose(): void {
    this.#parameters.dispose();
    this.#model.dispose();
  }

  #forward(inputs: Float32Array, labels: Uint8Array, training: boolean): ForwardPass {
    const x = this.#engine.tf.engine().makeTensor(inputs, [labels.length, ...this.#sampleShape], 'float32') as Tensor;
    const outputs = this.#model.apply(x, { training }) as Tensor;
    const losses = this.#model.calculateLosses();
    const penalty = losses.length === 0 ? null : losses.reduce((sum, loss) => this.#engine.tf.add(sum, loss));
    return { lossRows: this.#loss(outputs, labels), outputs, penalty };
  }

  /** The gradient of the loss sum, plus the penalty once for each example. */
  #backward(inputs: Float32Array, labels: Uint8Array): { pass: ForwardPass; gradients: Tensor[] } {
    const { tf } = this.#engine;
    let pass: ForwardPass | undefined;
    const { grads } = tf.engine().gradients(() => {
      pass = this.#forward(inputs, labels, true);
      for (const tensor of [pass.lossRows, pass.outputs, pass.penalty]) if (tensor !== null) tf.keep(tensor);
      const lossSum = tf.sum(pass.lossRows);
      return pass.penalty === null ? lossSum : tf.add(lossSum, tf.mul(pass.penalty, labels.length));
    }, [...this.#parameters.trainable]);
    return { pass: pass!, gradients: this.#parameters.withZeros(grads) };
  }

  /** All tensors of `compute` in one read; every tensor made meanwhile is disposed. */
  #read(compute: () => Tensor[]): Float32Array {
    const { tf } = this.#engine;
    const flat = tf.tidy(() => {
      const tensors = compute();
      const joined = tf.concat1d(tensors.map((tensor) => tf.reshape(tensor, [-1])));
      for (const tensor of tensors) tensor.dispose();
      return joined;
    });
    const values = flat.dataSync() as Float32Array;
    flat.dispose();
    return values;
  }

  /** From `[lossRows, outputs, penalty]` as they lie in a read. */
  #scores(read: Float32Array, labels: Uint8Array): Omit<MicroBatchGradient, 'flat'> {
    const numExamples = labels.length;
    const { numClasses } = this.#outputs;
    const outputsEnd = numExamples * (1 + numClasses);
    const penalty = read[outputsEnd] ?? 0;
    return {
      lossSum: sumOf(read.subarray(0, numExamples)) + penalty * numExamples,
      numCorrect: argMaxEquals(read.subarray(numExamples, outputsEnd), labels, numClasses),
      numExamples,
    };
  }
}

function tensorsOf({ lossRows, outputs, penalty }: ForwardPass): Tensor[] {
  return penalty === null ? [lossRows, outputs] : [lossRows, outputs, penalty];
}
