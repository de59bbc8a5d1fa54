import type { LossConfig } from '@lockstep/core';
import type { Tensor } from '@tensorflow/tfjs';
import type { Engine, Tf } from './engine.ts';
import { nativeBackendOf, OpAttributes, type NativeBackend } from './native-backend.ts';

/** Keras's `epsilon()`: probabilities are kept this far from 0 and 1 before the logarithm. */
const KERAS_EPSILON = 1e-7;

/** The loss of each example, differentiable. */
export type PerExampleLoss = (outputs: Tensor, labels: Uint8Array) => Tensor;

/**
 * Losses as Keras defines them, before the mean over the examples: `outputs` `[n, numClasses]` and class numbers
 * `[n]` give `[n]`.
 */
export function perExampleLoss(engine: Engine, loss: LossConfig, numClasses: number): PerExampleLoss {
  const { tf } = engine;
  const targets = (labels: Uint8Array, smoothing: number): Tensor => targetTensor(tf, labels, numClasses, smoothing);
  if (loss.kind === 'meanSquaredError') return (outputs, labels) => tf.mean(tf.squaredDifference(outputs, targets(labels, 0)), 1);
  if (!loss.fromLogits) return (outputs, labels) => crossEntropyOfProbabilities(tf, outputs, targets(labels, loss.labelSmoothing));
  const backend = nativeBackendOf(engine);
  if (backend === null) return (outputs, labels) => tf.neg(tf.sum(tf.mul(targets(labels, loss.labelSmoothing), tf.logSoftmax(outputs)), 1));
  const native = nativeCrossEntropy(tf, backend);
  if (loss.labelSmoothing > 0) return (outputs, labels) => native('SoftmaxCrossEntropyWithLogits', outputs, targets(labels, loss.labelSmoothing));
  return (outputs, labels) => native('SparseSoftmaxCrossEntropyWithLogits', outputs, tf.engine().makeTensor(Int32Array.from(labels), [labels.length], 'int32') as Tensor);
}

function targetTensor(tf: Tf, labels: Uint8Array, numClasses: number, smoothing: number): Tensor {
  return tf.tensor2d(targetRows(labels, numClasses, smoothing), [labels.length, numClasses]);
}

/** Rows `[n, numClasses]` of `(1 - smoothing) * oneHot + smoothing / numClasses`. */
export function targetRows(labels: Uint8Array, numClasses: number, smoothing: number): Float32Array {
  const rows = new Float32Array(labels.length * numClasses).fill(smoothing / numClasses);
  labels.forEach((label, row) => { rows[row * numClasses + label]! += 1 - smoothing; });
  return rows;
}

function crossEntropyOfProbabilities(tf: Tf, outputs: Tensor, targets: Tensor): Tensor {
  const normalised = tf.div(outputs, tf.sum(outputs, 1, true));
  const clipped = tf.clipByValue(normalised, KERAS_EPSILON, 1 - KERAS_EPSILON);
  return tf.neg(tf.sum(tf.mul(targets, tf.log(clipped)), 1));
}

type NativeCrossEntropy = (op: string, logits: Tensor, targets: Tensor) => Tensor;

/** TensorFlow's op gives the loss and its gradient in one pass over the logits. */
function nativeCrossEntropy(tf: Tf, backend: NativeBackend): NativeCrossEntropy {
  const attribute = new OpAttributes(backend);
  const dense = [attribute.type('T', 'TF_FLOAT')];
  const sparse = [...dense, attribute.type('Tlabels', 'TF_INT32')];
  return (op, logits, targets) => {
    const attributes = op.startsWith('Sparse') ? sparse : dense;
    return tf.customGrad((x, save) => {
      const [value, gradient] = backend.executeMultipleOutputs(op, attributes, [x as Tensor, targets], 2);
      (save as (tensors: Tensor[]) => void)([gradient!]);
      return { value: value!, gradFunc: (dy: Tensor, [saved]: Tensor[]) => tf.mul(tf.expandDims(dy, 1), saved!) };
    })(logits);
  };
}
