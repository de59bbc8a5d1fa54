import { adam, defineRun, mnist, warmupCosine } from 'lockstep';

/**
 * All that a resumed run must take up where it was: the optimizer's state, a schedule, dropout's seeds, BatchNorm's buffers,
 * the order of an epoch's samples (the last batch is not full), the best epoch (so much must be won that it is an early one) and the patience.
 */
export default defineRun({
  data: mnist({ limit: 500, validation: 0.2 }),
  model: ({ layers, sequential, sampleShape, numClasses }) => sequential({
    layers: [
      layers.flatten({ inputShape: [...sampleShape] }),
      layers.dense({ units: 32 }),
      layers.batchNormalization({}),
      layers.reLU(),
      layers.dropout({ rate: 0.3 }),
      layers.dense({ units: numClasses }),
    ],
  }),
  optimizer: adam({ learningRate: warmupCosine({ peak: 0.1, warmupSteps: 10 }) }),
  clipping: { globalNorm: 1 },
  globalBatchSize: 32, microBatches: 4, epochs: 10, seed: 5,
  earlyStopping: { patience: 3, minDelta: 1.5 }, keepBest: true,
  checkpoints: { everySteps: 7 },
  failureDetectionMs: 20_000,
});
