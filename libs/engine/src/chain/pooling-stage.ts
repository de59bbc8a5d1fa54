import type { OpAttribute, OpAttributes } from '../native-backend.ts';
import type { Handle } from '../native-ops.ts';
import { MKL_KERNEL } from './one-dnn.ts';
import type { Stage } from './stage.ts';

export interface Window {
  readonly poolSize: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly padding: 'SAME' | 'VALID';
}

export function maxPoolingStage(attribute: OpAttributes, window: Window, oneDnn: boolean): Stage {
  const attributes = [attribute.type('T', 'TF_FLOAT'), ...windowAttributes(attribute, window)];
  return oneDnn ? oneDnnMaxPooling([...attributes, MKL_KERNEL(attribute)]) : plainMaxPooling(attributes);
}

/** oneDNN remembers where each maximum was: 7 times faster backward than searching again, the same bits. */
function oneDnnMaxPooling(attributes: readonly OpAttribute[]): Stage {
  let [input, output, places]: Handle[] = [];
  return {
    forward({ ops }, x) {
      input = x;
      [output, places] = ops.runTwo('_MklNativeMaxPool', attributes, [x]);
      return output;
    },
    backward: ({ ops }, dy) => ops.run('_MklNativeMaxPoolGrad', attributes, [input!, output!, dy, places!]),
  };
}

function plainMaxPooling(attributes: readonly OpAttribute[]): Stage {
  let [input, output]: Handle[] = [];
  return {
    forward: ({ ops }, x) => (output = ops.run('MaxPool', attributes, [(input = x)])),
    backward: ({ ops }, dy) => ops.run('MaxPoolGrad', attributes, [input!, output!, dy]),
  };
}

export function averagePoolingStage(attribute: OpAttributes, window: Window, inputShape: readonly number[]): Stage {
  const attributes = [attribute.type('T', 'TF_FLOAT'), ...windowAttributes(attribute, window)];
  return {
    forward: ({ ops }, x) => ops.run('AvgPool', attributes, [x]),
    backward: ({ ops, numExamples }, dy) => ops.run('AvgPoolGrad', attributes, [ops.ints(Int32Array.of(numExamples, ...inputShape)), dy]),
  };
}

function windowAttributes(attribute: OpAttributes, { poolSize, strides, padding }: Window): OpAttribute[] {
  return [
    attribute.ints('ksize', [1, ...poolSize, 1]),
    attribute.ints('strides', [1, ...strides, 1]),
    attribute.string('padding', padding),
    attribute.string('data_format', 'NHWC'),
  ];
}
