import type { Numerics } from '@lockstep/core';
import { OpAttributes, type NativeBackend, type OpAttribute } from '../native-backend.ts';
import { NativeOps } from '../native-ops.ts';

/** Says that the kernel wanted is oneDNN's, which TensorFlow registers under a label of its own. */
export const MKL_KERNEL = (attribute: OpAttributes): OpAttribute => attribute.string('_kernel', 'MklNameChangeOp');

/**
 * Whether oneDNN's own ops are to be used: on a CPU whose numerics have oneDNN, with a library that has them. Equal
 * engine builds give equal answers.
 */
export function hasOneDnnKernels(backend: NativeBackend, numerics: Numerics): boolean {
  if (numerics.device !== 'cpu' || !numerics.oneDnn) return false;
  const ops = new NativeOps(backend);
  const attribute = new OpAttributes(backend);
  const common = [attribute.type('T', 'TF_FLOAT'), attribute.ints('strides', [1, 1, 1, 1]), attribute.string('padding', 'VALID'), attribute.string('data_format', 'NHWC'), MKL_KERNEL(attribute)];
  const one = (shape: readonly number[]) => ops.floats(Float32Array.of(1), shape);
  try {
    return ops.scoped(() => {
      const x = one([1, 1, 1, 1]);
      ops.runTwo('_MklNativeMaxPool', [...common, attribute.ints('ksize', [1, 1, 1, 1])], [x]);
      ops.run('_MklNativeConv2DWithBias', [...common, attribute.bool('use_cudnn_on_gpu', true), attribute.ints('dilations', [1, 1, 1, 1])], [x, one([1, 1, 1, 1]), one([1])]);
      return true;
    });
  } catch {
    return false;
  }
}
