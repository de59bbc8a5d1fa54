import type { OpAttributes } from '../native-backend.ts';
import type { Handle } from '../native-ops.ts';
import type { WeightIndices } from './dense-stage.ts';
import { MKL_KERNEL } from './one-dnn.ts';
import type { Stage } from './stage.ts';

export interface Convolution extends WeightIndices {
  /** `[height, width, channels, filters]` */
  readonly kernelShape: readonly number[];
  /** `[height, width, channels]` */
  readonly inputShape: readonly number[];
  readonly strides: readonly [number, number];
  readonly padding: 'SAME' | 'VALID';
}

/**
 * A convolution with bias, then `after` it (a pooling or nothing). The bias's gradient is summed behind the pooling,
 * which is the same sum over fewer terms: a pooling's gradient moves values and adds none.
 */
export function convolutionStage(attribute: OpAttributes, { kernel, bias, kernelShape, inputShape, strides, padding }: Convolution, after: Stage | null, oneDnn: boolean): Stage {
  const float = attribute.type('T', 'TF_FLOAT');
  const format = attribute.string('data_format', 'NHWC');
  const attributes = [float, attribute.ints('strides', [1, ...strides, 1]), attribute.string('padding', padding), format, attribute.bool('use_cudnn_on_gpu', true), attribute.ints('dilations', [1, 1, 1, 1])];
  const biasAttributes = [float, format];
  const withBiasAttributes = [...attributes, MKL_KERNEL(attribute)];
  let input: Handle;
  return {
    forward(pass, x) {
      const { ops, parameters } = pass;
      input = x;
      const filter = parameters[kernel]!;
      const y = bias === null ? ops.run('Conv2D', attributes, [x, filter])
        : oneDnn ? ops.run('_MklNativeConv2DWithBias', withBiasAttributes, [x, filter, parameters[bias]!])
          : ops.run('BiasAdd', biasAttributes, [ops.run('Conv2D', attributes, [x, filter]), parameters[bias]!]);
      return after === null ? y : after.forward(pass, y);
    },
    backward(pass, dy, gradients, first) {
      const { ops, parameters, numExamples } = pass;
      if (bias !== null) gradients[bias] = ops.run('BiasAddGrad', biasAttributes, [dy]);
      const dConvolved = after === null ? dy : after.backward(pass, dy, gradients, false);
      gradients[kernel] = ops.run('Conv2DBackpropFilter', attributes, [input, ops.ints(Int32Array.from(kernelShape)), dConvolved]);
      return first ? dy : ops.run('Conv2DBackpropInput', attributes, [ops.ints(Int32Array.of(numExamples, ...inputShape)), parameters[kernel]!, dConvolved]);
    },
  };
}
