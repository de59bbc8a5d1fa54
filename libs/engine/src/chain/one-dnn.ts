import type { Numerics } from '@lockstep/core';
import type { OpAttribute, OpAttributes } from '../native-backend.ts';

/** Says that the kernel wanted is oneDNN's, which TensorFlow registers under a label of its own. */
export const MKL_KERNEL = (attribute: OpAttributes): OpAttribute => attribute.string('_kernel', 'MklNameChangeOp');

/** Whether oneDNN's own ops are to be used: where the run's numerics have oneDNN, on a CPU. */
export function usesOneDnn(numerics: Numerics): boolean {
  return numerics.device === 'cpu' && numerics.oneDnn;
}
