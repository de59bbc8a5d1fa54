import { layOutFrozen, layOutParameters, type ParameterLayout, type ParameterSpec } from '@lockstep/core';
import type { Tf } from '@lockstep/engine';
import type { Tensor } from '@tensorflow/tfjs';
import { aligned } from './aligned-floats.ts';

/** The tensors of a Transformer by name, and as the two flat vectors of what trains and what is frozen. */
export class TransformerWeights {
  readonly specs: readonly ParameterSpec[];
  readonly layout: ParameterLayout;
  readonly #frozenLayout: ParameterLayout;
  readonly #tf: Tf;
  readonly #tensors = new Map<string, Tensor>();
  readonly #trained: ReadonlySet<string>;

  /** `initial` gives each tensor's values once, in order; they are copied only where `alignedFloats` did not make them. */
  constructor(tf: Tf, specs: readonly ParameterSpec[], initial: (spec: ParameterSpec, index: number) => Float32Array) {
    this.#tf = tf;
    this.specs = specs;
    this.layout = layOutParameters(specs);
    this.#frozenLayout = layOutFrozen(specs);
    this.#trained = new Set(this.layout.parameters.map(({ name }) => name));
    specs.forEach((spec, index) => this.#place(spec, aligned(initial(spec, index))));
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  trains(name: string): boolean {
    return this.#trained.has(name);
  }

  /** The current tensor: the next load disposes it. */
  get(name: string): Tensor {
    return this.#tensors.get(name)!;
  }

  readParameters(): Float32Array {
    const flat = new Float32Array(this.layout.totalLength);
    for (const { name, offset } of this.layout.parameters) flat.set(this.get(name).dataSync(), offset);
    return flat;
  }

  *readFrozen(): Iterable<Float32Array> {
    for (const { name } of this.#frozenLayout.parameters) yield this.get(name).dataSync() as Float32Array;
  }

  /** Without a copy where a tensor's range of `flat` lies on a 64-byte boundary. */
  loadParameters(flat: Float32Array): void {
    this.#load(this.layout, flat);
  }

  loadFrozen(flat: Float32Array): void {
    this.#load(this.#frozenLayout, flat);
  }

  dispose(): void {
    for (const tensor of this.#tensors.values()) tensor.dispose();
    this.#tensors.clear();
  }

  #load({ parameters }: ParameterLayout, flat: Float32Array): void {
    for (const spec of parameters) this.#place(spec, flat.subarray(spec.offset, spec.offset + spec.length));
  }

  #place({ name, shape }: ParameterSpec, values: Float32Array): void {
    this.#tensors.get(name)?.dispose();
    this.#tensors.set(name, this.#tf.keep(this.#tf.engine().makeTensor(values, [...shape], 'float32') as Tensor));
  }
}
