import type { ParameterLayout, PlacedParameter } from '@lockstep/core';
import type { Tensor } from '@tensorflow/tfjs';

/** The flat gradient of what trains, filled tensor by tensor as a backward pass finds them. Tensors given stay the caller's. */
export class GradientVector {
  readonly flat: Float32Array;
  readonly #places: ReadonlyMap<string, PlacedParameter>;

  /** All zeros at first; in `into` where that is given. */
  constructor(layout: ParameterLayout, into?: Float32Array) {
    this.flat = into?.fill(0) ?? new Float32Array(layout.totalLength);
    this.#places = new Map(layout.parameters.map((parameter) => [parameter.name, parameter]));
  }

  /** The whole gradient of a tensor. */
  set(name: string, gradient: Tensor): void {
    this.flat.set(gradient.dataSync(), this.#places.get(name)!.offset);
  }

  /** Adds row after row of `gradient` `[rows.length, width]`, times `factor`, to the rows that `rows` tells, in this order. */
  addRows(name: string, rows: Int32Array, gradient: Tensor, factor: 1 | -1): void {
    const { offset } = this.#places.get(name)!;
    const width = gradient.shape[1]!;
    const values = gradient.dataSync();
    for (let row = 0; row < rows.length; row++) {
      const target = offset + rows[row]! * width;
      for (let column = 0; column < width; column++) this.flat[target + column]! += factor * values[row * width + column]!;
    }
  }
}
