import type { Tensor } from '@tensorflow/tfjs';
import type { Tf } from './engine.ts';
import type { Kernels } from './kernels.ts';
import { OpAttributes, type NativeBackend } from './native-backend.ts';

/** The kernels by TensorFlow's own ops (docs/engine-kernels.md has the gain of each). */
export function nativeKernels(tf: Tf, backend: NativeBackend): Omit<Kernels, 'uniform'> {
  const attribute = new OpAttributes(backend);
  const float = [attribute.type('T', 'TF_FLOAT')];
  const sparse = [...float, attribute.type('Tlabels', 'TF_INT32')];
  return {
    matMul: matMul(backend, attribute),
    crossEntropy: (logits, targets) => {
      const [losses, gradient] = backend.executeMultipleOutputs('SparseSoftmaxCrossEntropyWithLogits', sparse, [logits, targets], 2);
      return { losses: losses!, gradient: gradient! };
    },
    sigmoidGradient: (y, dy) => backend.executeSingleOutput('SigmoidGrad', float, [y, dy]),
    tanhGradient: (y, dy) => backend.executeSingleOutput('TanhGrad', float, [y, dy]),
    swapHalves: swapHalves(tf, backend, attribute),
  };
}

/** Of the two ops for a product, the one that is faster where the right side is transposed, and where it is not. */
function matMul(backend: NativeBackend, attribute: OpAttributes): Kernels['matMul'] {
  const attributesOf = (a: string, b: string) => [false, true].map((transposeA) => [false, true].map((transposeB) => [attribute.type('T', 'TF_FLOAT'), attribute.bool(a, transposeA), attribute.bool(b, transposeB)]));
  const plain = attributesOf('transpose_a', 'transpose_b');
  const batched = attributesOf('adj_x', 'adj_y');
  return (a, b, transposeA, transposeB) => backend.executeSingleOutput(transposeB ? 'BatchMatMulV2' : 'MatMul', (transposeB ? batched : plain)[Number(transposeA)]![Number(transposeB)]!, [a, b]);
}

function swapHalves(tf: Tf, backend: NativeBackend, attribute: OpAttributes): Kernels['swapHalves'] {
  const attributes = [attribute.type('T', 'TF_FLOAT'), attribute.type('Tshift', 'TF_INT32'), attribute.type('Taxis', 'TF_INT32')];
  return (x: Tensor) => tf.tidy(() => backend.executeSingleOutput('Roll', attributes, [x, tf.scalar(x.shape.at(-1)! / 2, 'int32'), tf.scalar(x.rank - 1, 'int32')]));
}
