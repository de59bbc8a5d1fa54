import type { Tensor } from '@tensorflow/tfjs';
import { MKL_KERNEL } from './chain/one-dnn.ts';
import type { Engine, Tf } from './engine.ts';
import type { Kernels } from './kernels.ts';
import { OpAttributes, type NativeBackend } from './native-backend.ts';

/** The kernels by TensorFlow's own ops (docs/engine-kernels.md has the gain of each). */
export function nativeKernels({ tf, oneDnnKernels }: Engine, backend: NativeBackend): Omit<Kernels, 'uniform'> {
  const attribute = new OpAttributes(backend);
  const float = [attribute.type('T', 'TF_FLOAT')];
  const softmax = oneDnnKernels ? [...float, MKL_KERNEL(attribute)] : float;
  return {
    matMul: matMul(backend, attribute),
    softmax: (logits) => backend.executeSingleOutput(oneDnnKernels ? '_MklSoftmax' : 'Softmax', softmax, [logits]),
    sigmoidGradient: (y, dy) => backend.executeSingleOutput('SigmoidGrad', float, [y, dy]),
    tanhGradient: (y, dy) => backend.executeSingleOutput('TanhGrad', float, [y, dy]),
    swapHalves: swapHalves(tf, backend, attribute),
  };
}

/** Of the two ops for a product, the one that is faster where the right side is transposed, and where it is not. */
function matMul(backend: NativeBackend, attribute: OpAttributes): Kernels['matMul'] {
  const float = attribute.type('T', 'TF_FLOAT');
  const plain = [false, true].map((transposeA) => [float, attribute.bool('transpose_a', transposeA), attribute.bool('transpose_b', false)]);
  const batched = [false, true].map((transposeA) => [float, attribute.bool('adj_x', transposeA), attribute.bool('adj_y', true)]);
  return (a, b, transposeA, transposeB) => {
    const [op, attributes] = transposeB ? ['BatchMatMulV2', batched] as const : ['MatMul', plain] as const;
    return backend.executeSingleOutput(op, attributes[Number(transposeA)]!, [a, b]);
  };
}

function swapHalves(tf: Tf, backend: NativeBackend, attribute: OpAttributes): Kernels['swapHalves'] {
  const attributes = [attribute.type('T', 'TF_FLOAT'), attribute.type('Tshift', 'TF_INT32'), attribute.type('Taxis', 'TF_INT32')];
  return (x: Tensor) => tf.tidy(() => backend.executeSingleOutput('Roll', attributes, [x, tf.scalar(x.shape.at(-1)! / 2, 'int32'), tf.scalar(x.rank - 1, 'int32')]));
}
