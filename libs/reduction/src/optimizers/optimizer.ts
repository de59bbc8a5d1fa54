import type { Vector } from '../vector.ts';

/** Steps a range of the flat parameter vector; holds the state of that range. */
export interface Optimizer {
  /** The state to be saved and restored (write into `vector.data`), named as in `torch.optim`'s state. */
  readonly slots: readonly OptimizerSlot[];
  /**
   * One update in place. Each element is stepped on its own, so the cut into ranges changes no bits.
   *
   * @param gradient the mean gradient, clipped
   * @param update counted from 1 over the whole run
   * @param from where both vectors begin in the optimizer's range, in elements (default: 0)
   */
  step(parameters: Vector, gradient: Vector, learningRate: number, update: number, from?: number): void;
}

export interface OptimizerSlot {
  readonly name: string;
  readonly vector: Vector;
}
