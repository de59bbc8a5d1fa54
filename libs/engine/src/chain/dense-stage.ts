import type { Handle } from '../native-ops.ts';
import type { OpAttributes } from '../native-backend.ts';
import type { Stage } from './stage.ts';

/** Where a layer's weights are in the layout; `bias` is null where it has none. */
export interface WeightIndices {
  readonly kernel: number;
  readonly bias: number | null;
}

/** `y = x W + b` for `x` `[n, inputs]`. */
export function denseStage(attribute: OpAttributes, { kernel, bias }: WeightIndices): Stage {
  const float = attribute.type('T', 'TF_FLOAT');
  const product = (a: boolean, b: boolean) => [float, attribute.bool('transpose_a', a), attribute.bool('transpose_b', b)];
  const [plain, transposedA, transposedB] = [product(false, false), product(true, false), product(false, true)];
  const biasAttributes = [float, attribute.string('data_format', 'NHWC')];
  let input: Handle;
  return {
    forward({ ops, parameters }, x) {
      input = x;
      const y = ops.run('MatMul', plain, [x, parameters[kernel]!]);
      return bias === null ? y : ops.run('BiasAdd', biasAttributes, [y, parameters[bias]!]);
    },
    backward({ ops, parameters }, dy, gradients, first) {
      gradients[kernel] = ops.run('MatMul', transposedA, [input, dy]);
      if (bias !== null) gradients[bias] = ops.run('BiasAddGrad', biasAttributes, [dy]);
      return first ? dy : ops.run('MatMul', transposedB, [dy, parameters[kernel]!]);
    },
  };
}
