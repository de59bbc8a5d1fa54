import type { Tf } from '@lockstep/engine';
import type { LayersModel, Scalar, Tensor } from '@tensorflow/tfjs';
import { BATCH } from '../workload.ts';
import type { DataSplits } from '@lockstep/data';
import type { TrainingLoop } from './training-loop.ts';

const NUM_CLASSES = 10;
const IMAGE_LENGTH = 784;

/** A user's own loop with TensorFlow.js: the images scaled once, the batches taken one after another. */
export function createTfjsLoop(tf: Tf, model: LayersModel, { training }: DataSplits): TrainingLoop {
  const images = Float32Array.from(training.images, (pixel) => pixel / 255);
  const labels = new Float32Array(training.numExamples * NUM_CLASSES);
  training.labels.forEach((label, index) => { labels[index * NUM_CLASSES + label] = 1; });
  const optimizer = tf.train.adam(1e-3);
  const numBatches = Math.floor(training.numExamples / BATCH);
  let batch = 0;
  return () => {
    const from = (batch % numBatches) * BATCH;
    batch += 1;
    const x = tf.tensor4d(images.subarray(from * IMAGE_LENGTH, (from + BATCH) * IMAGE_LENGTH), [BATCH, 28, 28, 1]);
    const y = tf.tensor2d(labels.subarray(from * NUM_CLASSES, (from + BATCH) * NUM_CLASSES), [BATCH, NUM_CLASSES]);
    const cost = optimizer.minimize(() => tf.losses.softmaxCrossEntropy(y, model.apply(x, { training: true }) as Tensor) as Scalar, true);
    const [loss = Number.NaN] = cost?.dataSync() ?? [];
    tf.dispose([x, y, ...(cost === null ? [] : [cost])]);
    return loss;
  };
}
