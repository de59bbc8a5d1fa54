import type { OpAttributes } from '../native-backend.ts';
import type { Stage } from './stage.ts';

/** The same values in another shape (without the number of examples). */
export function reshapeStage(attribute: OpAttributes, inputShape: readonly number[], outputShape: readonly number[]): Stage {
  const attributes = [attribute.type('T', 'TF_FLOAT'), attribute.type('Tshape', 'TF_INT32')];
  return {
    forward: ({ ops, numExamples }, x) => ops.run('Reshape', attributes, [x, ops.ints(Int32Array.of(numExamples, ...outputShape))]),
    backward: ({ ops, numExamples }, dy) => ops.run('Reshape', attributes, [dy, ops.ints(Int32Array.of(numExamples, ...inputShape))]),
  };
}
