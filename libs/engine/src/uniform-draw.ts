import type { Tensor } from '@tensorflow/tfjs';
import type { Engine } from './engine.ts';
import { nativeBackendOf, OpAttributes } from './native-backend.ts';

/** Uniform values in `[0, 1)` of `shape`: a pure function of the seed of a call and the number of the draw within it. */
export type UniformDraw = (shape: readonly number[], seed: number, draw: number) => Tensor;

/** By TensorFlow's counter-based generator; in JavaScript by TensorFlow.js's, which gives other values. */
export function uniformDraw(engine: Engine): UniformDraw {
  const { tf } = engine;
  const backend = nativeBackendOf(engine);
  if (backend === null) return (shape, seed, draw) => tf.randomUniform([...shape], 0, 1, 'float32', `${seed}/${draw}`);
  const attribute = new OpAttributes(backend);
  const attributes = [attribute.type('dtype', 'TF_FLOAT'), attribute.type('T', 'TF_INT32'), attribute.type('Tseed', 'TF_INT32')];
  return (shape, seed, draw) => backend.executeSingleOutput('StatelessRandomUniform', attributes, [tf.tensor1d([...shape], 'int32'), tf.tensor1d([seed | 0, draw], 'int32')]);
}
