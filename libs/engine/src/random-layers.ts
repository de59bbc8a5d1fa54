import { uniformStream } from '@lockstep/core';
import type { LayersModel, Tensor } from '@tensorflow/tfjs';
import type { Engine } from './engine.ts';
import { layersOf } from './stable-names.ts';
import { uniformDraw, type UniformDraw } from './uniform-draw.ts';

/**
 * Random draws of a model's layers as a pure function of the seed of the call. Dropout (also of recurrent cells) draws
 * by TensorFlow's counter-based generator; every other layer draws through `Math.random`, which has a seeded stream
 * for the time of the call.
 */
export class SeededRandomness {
  readonly #uniform: UniformDraw;
  #seed = 0;
  #draws = 0;

  constructor(engine: Engine, model: LayersModel) {
    this.#uniform = uniformDraw(engine);
    const dropout = (x: Tensor, rate: number, noiseShape?: readonly number[] | null): Tensor => this.#dropout(engine, x, rate, noiseShape ?? x.shape);
    for (const layer of layersOf(model as never)) seedDropout(layer as never, dropout);
  }

  /** Runs `compute` with every draw derived from `seed`. */
  during<Result>(seed: number, compute: () => Result): Result {
    this.#seed = seed;
    this.#draws = 0;
    return withSeededMathRandom(seed, compute);
  }

  /** Keeps each element with probability `1 - rate` and scales it by `1 / (1 - rate)`. */
  #dropout({ tf }: Engine, x: Tensor, rate: number, noiseShape: readonly number[]): Tensor {
    const kept = tf.greaterEqual(this.#uniform(noiseShape, this.#seed, this.#draws++), rate);
    return tf.mul(x, tf.mul(tf.cast(kept, 'float32'), 1 / (1 - rate)));
  }
}

/** `compute` with `Math.random` a stream of `seed`; TensorFlow.js seeds each unseeded draw from it. */
export function withSeededMathRandom<Result>(seed: number, compute: () => Result): Result {
  const original = Math.random;
  Math.random = uniformStream(seed);
  try {
    return compute();
  } finally {
    Math.random = original;
  }
}

type DropoutFunction = (x: Tensor, rate: number, noiseShape?: readonly number[] | null) => Tensor;

/** A Dropout layer, or a recurrent cell with its hook for dropout. */
interface RandomLayer {
  readonly rate?: number;
  readonly noiseShape?: readonly number[];
  dropoutFunc?: DropoutFunction;
  getClassName(): string;
  getNoiseShape(input: Tensor): readonly number[] | undefined;
  call(inputs: Tensor | Tensor[], options: { training?: boolean }): Tensor | Tensor[];
}

function seedDropout(layer: RandomLayer, dropout: DropoutFunction): void {
  if ('dropoutMask' in layer) layer.dropoutFunc = dropout;
  if (!['Dropout', 'SpatialDropout1D'].includes(layer.getClassName())) return;
  layer.call = (inputs, { training }) => {
    const input = Array.isArray(inputs) ? inputs[0]! : inputs;
    return training === true && layer.rate! > 0 ? dropout(input, layer.rate!, layer.getNoiseShape(input)) : input;
  };
}
