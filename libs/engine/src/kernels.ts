import type { Tensor } from '@tensorflow/tfjs';
import type { Engine } from './engine.ts';
import { javaScriptKernels } from './javascript-kernels.ts';
import { nativeBackendOf } from './native-backend.ts';
import { nativeKernels } from './native-kernels.ts';
import { uniformDraw, type UniformDraw } from './uniform-draw.ts';

/** What a language model computes that TensorFlow.js lacks or does slowly. All of it is off the tape; the caller disposes what comes back. */
export interface Kernels {
  /** The product of two matrices, each transposed first where told. */
  matMul(a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): Tensor;
  /** Over the last axis. */
  softmax(logits: Tensor): Tensor;
  /** The gradient at the input of `y = sigmoid(x)`. */
  sigmoidGradient(y: Tensor, dy: Tensor): Tensor;
  /** The gradient at the input of `y = tanh(x)`. */
  tanhGradient(y: Tensor, dy: Tensor): Tensor;
  /** `[..., a, b]` as `[..., b, a]`, where the halves of the last axis are a and b. */
  swapHalves(x: Tensor): Tensor;
  readonly uniform: UniformDraw;
}

export function createKernels(engine: Engine): Kernels {
  const backend = nativeBackendOf(engine);
  const uniform = uniformDraw(engine);
  return backend === null ? { ...javaScriptKernels(engine.tf), uniform } : { ...nativeKernels(engine, backend), uniform };
}
