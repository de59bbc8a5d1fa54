import { adam, defineRun, mnist, warmupCosine } from 'lockstep';

/** Everything that could depend on the cluster: dropout, BatchNorm, augmentation, clipping over all shards, a last batch that is not full. */
export default defineRun({
  data: mnist({ limit: 300, augmentation: { shift: 2, rotation: 10, zoom: 0.1, elastic: { alpha: 8, sigma: 4 } } }),
  model: ({ layers, sequential, sampleShape, numClasses }) => sequential({
    layers: [
      layers.conv2d({ inputShape: [...sampleShape], filters: 8, kernelSize: 3 }),
      layers.batchNormalization({}),
      layers.reLU(),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.flatten(),
      layers.dropout({ rate: 0.4 }),
      layers.dense({ units: 32, activation: 'relu' }),
      layers.dense({ units: numClasses }),
    ],
  }),
  optimizer: adam({ learningRate: warmupCosine({ peak: 3e-3, warmupSteps: 3 }) }),
  clipping: { globalNorm: 0.5 },
  globalBatchSize: 64, microBatches: 8, epochs: 2, seed: 7,
  // Nine workers on two cores that other tests use too: nobody is lost for being slow.
  failureDetectionMs: 20_000,
});
