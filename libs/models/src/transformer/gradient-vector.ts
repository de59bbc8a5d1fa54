import type { ParameterLayout, PlacedParameter } from '@lockstep/core';
import type { Tensor } from '@tensorflow/tfjs';

/** The flat gradient of what trains, filled tensor by tensor as a backward pass finds them. Tensors given stay the caller's. */
export class GradientVector {
  readonly flat: Float32Array;
  readonly #places: ReadonlyMap<string, PlacedParameter>;
  readonly #begun = new Set<string>();

  /** In `into` where that is given, whose values stay until their tensor's gradient comes. */
  constructor(layout: ParameterLayout, into?: Float32Array) {
    this.flat = into ?? new Float32Array(layout.totalLength);
    this.#places = new Map(layout.parameters.map((parameter) => [parameter.name, parameter]));
  }

  /** The whole gradient of a tensor. */
  set(name: string, gradient: Tensor): void {
    this.flat.set(gradient.dataSync(), this.#places.get(name)!.offset);
    this.#begun.add(name);
  }

  /** Adds row after row of `gradient` `[rows.length, width]`, times `factor`, to the rows that `rows` tells, in this order; to zeros where nothing came before. */
  addRows(name: string, rows: Int32Array, gradient: Tensor, factor: 1 | -1): void {
    const { offset, length } = this.#places.get(name)!;
    if (!this.#begun.has(name)) this.flat.fill(0, offset, offset + length);
    this.#begun.add(name);
    const width = gradient.shape[1]!;
    const values = gradient.dataSync();
    for (let row = 0; row < rows.length; row++) {
      const target = offset + rows[row]! * width;
      for (let column = 0; column < width; column++) this.flat[target + column]! += factor * values[row * width + column]!;
    }
  }
}
