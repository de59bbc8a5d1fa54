import { adam, defineRun, mnist } from 'lockstep';

/** A head on a base that stays as it is: its weights take no part in steps, nor do the statistics of its BatchNorm. */
export default defineRun({
  data: mnist({ limit: 300 }),
  model: ({ layers, sequential, sampleShape, numClasses }) => {
    const base = sequential({
      layers: [
        layers.conv2d({ inputShape: [...sampleShape], filters: 8, kernelSize: 3, activation: 'relu', name: 'edges' }),
        layers.batchNormalization({ name: 'norm' }),
        layers.maxPooling2d({ poolSize: 2 }),
        layers.flatten(),
        layers.dense({ units: 64, activation: 'relu', name: 'features' }),
      ],
    });
    base.trainable = false;
    return sequential({ layers: [base, layers.dense({ units: numClasses, name: 'head' })] });
  },
  optimizer: adam({ learningRate: 3e-3 }),
  globalBatchSize: 64, microBatches: 8, epochs: 2, seed: 7,
  failureDetectionMs: 20_000,
});
