import { layOutParameters, layOutWholeModel, type ParameterLayout, type ParameterSpec } from '@lockstep/core';
import type { LayersModel, Tensor } from '@tensorflow/tfjs';
import type { Tf } from './engine.ts';
import { frozenWeights } from './layer-rules.ts';
import { stableNames, withStableNames } from './stable-names.ts';

/** A weight of a LayersModel; `val` is its variable. */
type LayerWeight = LayersModel['weights'][number];
type Variable = ReturnType<Tf['variable']>;

/** The weights of a model in the order of the flat vector: trainable ones, then buffers; and the frozen ones, which are not in it. */
export class ModelParameters {
  readonly specs: readonly ParameterSpec[];
  readonly layout: ParameterLayout;
  /** The trainable variables, in layout order. */
  readonly trainable: readonly Variable[];
  /** The buffers' variables, in layout order. */
  readonly buffers: readonly Variable[];
  readonly #tf: Tf;
  readonly #variables: readonly Variable[];
  readonly #frozen: readonly Variable[];
  /** The buffers' values of the version last loaded: every micro-batch starts from them. */
  #versionBuffers: readonly Tensor[];

  constructor(tf: Tf, model: LayersModel) {
    const names = stableNames(model);
    const frozen = frozenWeights(model);
    const trainable = new Set(model.trainableWeights);
    const kindOf = (weight: LayerWeight): ParameterSpec['kind'] => (frozen.has(weight) ? 'frozen' : trainable.has(weight) ? 'trainable' : 'buffer');
    const weights = (['trainable', 'buffer', 'frozen'] as const).map((kind) => [...model.trainableWeights, ...model.weights.filter((weight) => !trainable.has(weight))].filter((weight) => kindOf(weight) === kind));
    this.#tf = tf;
    this.specs = uniqueSpecs(weights.flat().map((weight) => ({ name: withStableNames(weight.originalName, names), shape: weight.shape.map(Number), kind: kindOf(weight) })));
    this.layout = layOutParameters(this.specs);
    [this.trainable, this.buffers, this.#frozen] = weights.map((some) => some.map(variableOf)) as [Variable[], Variable[], Variable[]];
    this.#variables = [...this.trainable, ...this.buffers];
    this.#versionBuffers = this.#keepBuffers();
  }

  /** The frozen values, in the model's order. */
  readFrozen(): Float32Array {
    return joined(this.#frozen.map((variable) => variable.dataSync() as Float32Array));
  }

  /** Gives the frozen tensors their values, in the model's order. */
  loadFrozen(values: Float32Array): void {
    const { totalLength } = this.layout;
    layOutWholeModel(this.specs).parameters.filter(({ kind }) => kind === 'frozen').forEach(({ offset, length, shape }, index) => {
      assign(this.#tf, this.#frozen[index]!, values.subarray(offset - totalLength, offset - totalLength + length), shape);
    });
  }

  /** The current values, in layout order. */
  read(): Float32Array {
    const flat = new Float32Array(this.layout.totalLength);
    this.layout.parameters.forEach(({ offset }, index) => flat.set(this.#variables[index]!.dataSync(), offset));
    return flat;
  }

  /** Gives every variable its range of `flat`, without a copy where the range lies on a 64-byte boundary. */
  load(flat: Float32Array): void {
    this.layout.parameters.forEach(({ offset, length, shape }, index) => assign(this.#tf, this.#variables[index]!, flat.subarray(offset, offset + length), shape));
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

/** Without a copy where the values lie on a 64-byte boundary. */
function assign(tf: Tf, variable: Variable, values: Float32Array, shape: readonly number[]): void {
  const tensor = tf.engine().makeTensor(values, [...shape], 'float32') as Tensor;
  variable.assign(tensor);
  tensor.dispose();
}

function joined(vectors: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(vectors.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const vector of vectors) {
    all.set(vector, offset);
    offset += vector.length;
  }
  return all;
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
