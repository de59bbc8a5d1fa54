import type { GradConfig, KernelConfig, Tensor, TensorInfo } from '@tensorflow/tfjs';
import type { Tf } from './engine.ts';
import { activeBackend, OpAttributes, type NativeBackend, type OpAttribute } from './native-backend.ts';

/**
 * Replaces what TensorFlow.js does slowly or wrongly by TensorFlow's own kernels (docs/engine-kernels.md has the gain of each).
 * `ReluGrad` gives 0 at NaN where TensorFlow.js gives NaN, so a check for NaN must look at the loss too.
 */
export function registerFastKernels(tf: Tf, oneDnn: boolean): void {
  const backend = activeBackend(tf);
  const attribute = new OpAttributes(backend);
  const float = [attribute.type('T', 'TF_FLOAT')];
  for (const kernel of [sameTypeCast(tf), sameShapeReshape(tf), pointwiseFilterGradient(tf)]) replaceKernel(tf, kernel);
  for (const gradient of activationGradients(tf, backend, float)) replaceGradient(tf, gradient);
  replaceGradient(tf, tileGradient(tf));
  if (oneDnn) replaceKernel(tf, oneDnnMaxPoolGrad(backend, attribute));
}

function replaceKernel(tf: Tf, kernel: KernelConfig): void {
  tf.unregisterKernel(kernel.kernelName, kernel.backendName);
  tf.registerKernel(kernel);
}

function replaceGradient(tf: Tf, gradient: GradConfig): void {
  tf.unregisterGradient(gradient.kernelName);
  tf.registerGradient(gradient);
}

/** Gradients that are one op of TensorFlow's on the output `y` and the gradient `dy` there. */
function activationGradients(tf: Tf, backend: NativeBackend, float: readonly OpAttribute[]): GradConfig[] {
  const byOutput = (kernelName: string, op: string, inputs: (y: Tensor, dy: Tensor) => Tensor[]): GradConfig => {
    tf.registerKernel({ kernelName: op, backendName: 'tensorflow', kernelFunc: ({ inputs: { a, b } }) => backend.executeSingleOutput(op, float, [a!, b!]) });
    return {
      kernelName,
      outputsToSave: [true],
      gradFunc: (dy, [y]) => ({
        x: () => {
          const [a, b] = inputs(y!, dy as Tensor);
          return tf.engine().runKernel(op, { a: a!, b: b! }) as Tensor;
        },
      }),
    };
  };
  return [
    byOutput('Relu', 'ReluGrad', (y, dy) => [dy, y]),
    byOutput('Tanh', 'TanhGrad', (y, dy) => [y, dy]),
    byOutput('Sigmoid', 'SigmoidGrad', (y, dy) => [y, dy]),
  ];
}

/** A cast to the type that a tensor has: every gradient through a clone asks for one. */
function sameTypeCast(tf: Tf): KernelConfig {
  const cast = tf.getKernel('Cast', 'tensorflow');
  return { ...cast, kernelFunc: (call) => (call.inputs['x']!.dtype === call.attrs!['dtype'] ? sameData(call.backend, call.inputs['x']!) : cast.kernelFunc(call)) };
}

/** A reshape to the shape that a tensor has: the gradient of every addition asks for two. */
function sameShapeReshape(tf: Tf): KernelConfig {
  const reshape = tf.getKernel('Reshape', 'tensorflow');
  return {
    ...reshape,
    kernelFunc: (call) => {
      const { shape } = call.attrs as unknown as { shape: readonly number[] };
      return tf.util.arraysEqual(call.inputs['x']!.shape, [...shape]) ? sameData(call.backend, call.inputs['x']!) : reshape.kernelFunc(call);
    },
  };
}

/**
 * The filter's gradient of a strided 1x1 convolution, as that of a plain one over every `strides`-th pixel: oneDNN's own
 * (TensorFlow 2.21, AVX2, fewer than 8 channels) writes past its buffer and corrupts the heap.
 */
function pointwiseFilterGradient(tf: Tf): KernelConfig {
  const original = tf.getKernel('Conv2DBackpropFilter', 'tensorflow');
  return {
    ...original,
    kernelFunc: (call) => {
      const { strides, filterShape } = call.attrs as unknown as { strides: number | [number, number]; filterShape: readonly number[] };
      const [down, across] = typeof strides === 'number' ? [strides, strides] : strides;
      if (filterShape[0] !== 1 || filterShape[1] !== 1 || (down === 1 && across === 1)) return original.kernelFunc(call);
      const x = call.inputs['x'] as Tensor;
      const visited = tf.stridedSlice(x, [0, 0, 0, 0], x.shape, [1, down, across, 1]);
      const gradient = original.kernelFunc({ ...call, inputs: { ...call.inputs, x: visited }, attrs: { ...call.attrs, strides: 1 } });
      visited.dispose();
      return gradient;
    },
  };
}

function sameData(backend: object, { dataId, shape, dtype }: TensorInfo): TensorInfo {
  (backend as { incRef(dataId: object): void }).incRef(dataId);
  return { dataId, shape, dtype };
}

/** The sum over the repetitions, as one sum; TensorFlow.js slices and adds them one by one. */
function tileGradient(tf: Tf): GradConfig {
  return {
    kernelName: 'Tile',
    inputsToSave: ['x'],
    gradFunc: (dy, [x], attributes) => ({
      x: () => {
        const { reps } = attributes as unknown as { reps: readonly number[] };
        const separated = x!.shape.flatMap((size, axis) => [reps[axis]!, size]);
        return tf.reshape(tf.sum(tf.reshape(dy as Tensor, separated), x!.shape.map((_, axis) => 2 * axis)), x!.shape);
      },
    }),
  };
}

/** oneDNN's gradient of max-pooling, which needs the places of the maxima: pooling again and it take a quarter of the time. */
function oneDnnMaxPoolGrad(backend: NativeBackend, attribute: OpAttributes): KernelConfig {
  return {
    kernelName: 'MaxPoolGrad',
    backendName: 'tensorflow',
    kernelFunc: ({ inputs: { dy, input }, attrs }) => {
      const { filterSize, strides, pad } = attrs as unknown as { filterSize: number | [number, number]; strides: number | [number, number]; pad: string };
      const attributes = poolAttributes(attribute, filterSize, strides, pad);
      const [output, places] = backend.executeMultipleOutputs('_MklNativeMaxPool', attributes, [input!], 2);
      const gradient = backend.executeSingleOutput('_MklNativeMaxPoolGrad', attributes, [input!, output!, dy!, places!]);
      output!.dispose();
      places!.dispose();
      return gradient;
    },
  };
}

function poolAttributes(attribute: OpAttributes, filterSize: number | [number, number], strides: number | [number, number], pad: string): OpAttribute[] {
  const pair = (value: number | [number, number]): [number, number] => (typeof value === 'number' ? [value, value] : value);
  return [
    attribute.type('T', 'TF_FLOAT'),
    attribute.ints('ksize', [1, ...pair(filterSize), 1]),
    attribute.ints('strides', [1, ...pair(strides), 1]),
    attribute.string('padding', pad.toUpperCase()),
    attribute.string('data_format', 'NHWC'),
    attribute.string('_kernel', 'MklNameChangeOp'),
  ];
}
