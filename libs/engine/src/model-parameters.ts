import { layOutFrozen, layOutParameters, type ParameterLayout, type ParameterSpec } from '@lockstep/core';
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
  /** Of the frozen ones, in a vector of their own. */
  readonly #frozenLayout: ParameterLayout;
  /** The buffers' values of the version last loaded: every micro-batch starts from them. */
  #versionBuffers: readonly Tensor[];

  constructor(tf: Tf, model: LayersModel) {
    const names = stableNames(model);
    const frozen = frozenWeights(model);
    const trainable = new Set(model.trainableWeights);
    const kindOf = (weight: LayerWeight): ParameterSpec['kind'] => (frozen.has(weight) ? 'frozen' : trainable.has(weight) ? 'trainable' : 'buffer');
    const all = [...model.trainableWeights, ...model.weights.filter((weight) => !trainable.has(weight))];
    const weights = (['trainable', 'buffer', 'frozen'] as const).map((kind) => all.filter((weight) => kindOf(weight) === kind));
    this.#tf = tf;
    this.specs = uniqueSpecs(weights.flat().map((weight) => ({ name: withStableNames(weight.originalName, names), shape: weight.shape.map(Number), kind: kindOf(weight) })));
    this.layout = layOutParameters(this.specs);
    this.#frozenLayout = layOutFrozen(this.specs);
    [this.trainable, this.buffers, this.#frozen] = weights.map((some) => some.map(variableOf)) as [Variable[], Variable[], Variable[]];
    this.#variables = [...this.trainable, ...this.buffers];
    this.#versionBuffers = this.#keepBuffers();
  }

  /** The values of each frozen tensor, in the model's order. */
  *readFrozen(): Iterable<Float32Array> {
    for (const variable of this.#frozen) yield variable.dataSync() as Float32Array;
  }

  /** Gives the frozen tensors their values, in the model's order. */
  loadFrozen(values: Float32Array): void {
    load(this.#tf, this.#frozen, this.#frozenLayout, values);
  }

  /** The current values, in layout order. */
  read(): Float32Array {
    const flat = new Float32Array(this.layout.totalLength);
    this.layout.parameters.forEach(({ offset }, index) => flat.set(this.#variables[index]!.dataSync(), offset));
    return flat;
  }

  /** Gives every variable its range of `flat`, without a copy where the range lies on a 64-byte boundary. */
  load(flat: Float32Array): void {
    load(this.#tf, this.#variables, this.layout, flat);
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

/** Without a copy where a range lies on a 64-byte boundary. */
function load(tf: Tf, variables: readonly Variable[], { parameters }: ParameterLayout, flat: Float32Array): void {
  parameters.forEach(({ offset, length, shape }, index) => {
    const values = tf.engine().makeTensor(flat.subarray(offset, offset + length), [...shape], 'float32') as Tensor;
    variables[index]!.assign(values);
    values.dispose();
  });
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
