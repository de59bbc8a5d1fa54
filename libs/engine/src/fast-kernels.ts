import type { Tensor } from '@tensorflow/tfjs';
import type { Tf } from './engine.ts';
import { activeBackend, OpAttributes } from './native-backend.ts';

/**
 * Replaces TensorFlow.js's slow gradients by TensorFlow's own kernels (docs/engine-kernels.md has the gain of each).
 * `ReluGrad` gives 0 at NaN where TensorFlow.js gives NaN, so a check for NaN must look at the loss too.
 */
export function registerFastKernels(tf: Tf): void {
  const backend = activeBackend(tf);
  const float = [new OpAttributes(backend).type('T', 'TF_FLOAT')];
  tf.registerKernel({
    kernelName: 'ReluGrad',
    backendName: 'tensorflow',
    kernelFunc: ({ inputs }) => backend.executeSingleOutput('ReluGrad', float, [inputs['dy']!, inputs['y']!]),
  });
  replaceGradient(tf, {
    kernelName: 'Relu',
    outputsToSave: [true],
    gradFunc: (dy, [y]) => ({ x: () => tf.engine().runKernel('ReluGrad', { dy: dy as Tensor, y: y! }) as Tensor }),
  });
}

function replaceGradient(tf: Tf, gradient: Parameters<Tf['registerGradient']>[0]): void {
  tf.unregisterGradient(gradient.kernelName);
  tf.registerGradient(gradient);
}
