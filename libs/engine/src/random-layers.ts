import { uniformStream } from '@lockstep/core';
import type { LayersModel, Tensor } from '@tensorflow/tfjs';
import type { Engine } from './engine.ts';
import { nativeBackendOf, OpAttributes } from './native-backend.ts';
import { layersOf } from './stable-names.ts';

/**
 * Random draws of a model's layers as a pure function of the seed of the call. Dropout (also of recurrent cells) draws
 * by TensorFlow's counter-based generator; every other layer draws through `Math.random`, which has a seeded stream
 * for the time of the call.
 */
export class SeededRandomness {
  readonly #uniform: (shape: readonly number[], seed: number, draw: number) => Tensor;
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

function uniformDraw(engine: Engine): (shape: readonly number[], seed: number, draw: number) => Tensor {
  const { tf } = engine;
  const backend = nativeBackendOf(engine);
  if (backend === null) return (shape, seed, draw) => tf.randomUniform([...shape], 0, 1, 'float32', `${seed}/${draw}`);
  const attribute = new OpAttributes(backend);
  const attributes = [attribute.type('dtype', 'TF_FLOAT'), attribute.type('T', 'TF_INT32'), attribute.type('Tseed', 'TF_INT32')];
  return (shape, seed, draw) => backend.executeSingleOutput('StatelessRandomUniform', attributes, [tf.tensor1d([...shape], 'int32'), tf.tensor1d([seed | 0, draw], 'int32')]);
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
