import { layOutParameters, type ParameterLayout } from '@lockstep/core';
import type { LayersModel, Tensor } from '@tensorflow/tfjs';
import type { Tf } from './engine.ts';
import { stableNames, withStableNames } from './stable-names.ts';

/** A weight of a LayersModel; `val` is its variable. */
type LayerWeight = LayersModel['weights'][number];
type Variable = ReturnType<Tf['variable']>;

/** The weights of a model in the order of the flat vector: trainable ones, then buffers. */
export class ModelParameters {
  readonly layout: ParameterLayout;
  /** The trainable variables, in layout order. */
  readonly trainable: readonly Variable[];
  /** The buffers' variables, in layout order. */
  readonly buffers: readonly Variable[];
  readonly #tf: Tf;
  readonly #variables: readonly Variable[];
  /** The buffers' values of the version last loaded: every micro-batch starts from them. */
  #versionBuffers: readonly Tensor[];

  constructor(tf: Tf, model: LayersModel) {
    const names = stableNames(model);
    const trainable = new Set(model.trainableWeights);
    const weights = [...model.trainableWeights, ...model.weights.filter((weight) => !trainable.has(weight))];
    this.#tf = tf;
    this.layout = layOutParameters(uniqueSpecs(weights.map((weight) => ({
      name: withStableNames(weight.originalName, names),
      shape: weight.shape.map(Number),
      kind: trainable.has(weight) ? 'trainable' : 'buffer',
    }))));
    this.#variables = weights.map(variableOf);
    this.trainable = this.#variables.slice(0, trainable.size);
    this.buffers = this.#variables.slice(trainable.size);
    this.#versionBuffers = this.#keepBuffers();
  }

  /** The current values, in layout order. */
  read(): Float32Array {
    const flat = new Float32Array(this.layout.totalLength);
    this.layout.parameters.forEach(({ offset }, index) => flat.set(this.#variables[index]!.dataSync(), offset));
    return flat;
  }

  /** Gives every variable its range of `flat`, without a copy where the range lies on a 64-byte boundary. */
  load(flat: Float32Array): void {
    this.layout.parameters.forEach(({ offset, length, shape }, index) => {
      const values = this.#tf.engine().makeTensor(flat.subarray(offset, offset + length), [...shape], 'float32') as Tensor;
      this.#variables[index]!.assign(values);
      values.dispose();
    });
    for (const buffer of this.#versionBuffers) buffer.dispose();
    this.#versionBuffers = this.#keepBuffers();
  }

  /** What the pass just run added to each buffer, times `numExamples`; the buffers go back to the version's values. */
  takeBufferDeltas(numExamples: number): Tensor[] {
    return this.buffers.map((buffer, index) => {
      const version = this.#versionBuffers[index]!;
      if (buffer.dataId === version.dataId) return this.#tf.zeros(buffer.shape);
      const delta = this.#tf.mul(this.#tf.sub(buffer, version), numExamples);
      buffer.assign(version);
      return delta;
    });
  }

  /** A zero gradient for each trainable tensor that the loss does not depend on. */
  withZeros(gradients: readonly (Tensor | null | undefined)[]): Tensor[] {
    return this.trainable.map((variable, index) => gradients[index] ?? this.#tf.zeros(variable.shape));
  }

  dispose(): void {
    for (const buffer of this.#versionBuffers) buffer.dispose();
  }

  #keepBuffers(): Tensor[] {
    return this.buffers.map((buffer) => this.#tf.keep(buffer.clone()));
  }
}

function variableOf(weight: LayerWeight): Variable {
  return (weight as unknown as { val: Variable }).val;
}

/** A name that two weights share gets `_1`, `_2`, ... as TensorFlow.js does. */
function uniqueSpecs<Spec extends { readonly name: string }>(specs: readonly Spec[]): Spec[] {
  const uses = new Map<string, number>();
  return specs.map((spec) => {
    const used = uses.get(spec.name) ?? 0;
    uses.set(spec.name, used + 1);
    return used === 0 ? spec : { ...spec, name: `${spec.name}_${used}` };
  });
}
