import { adam, defineRun, mnist, warmupCosine } from 'lockstep';

/** The first phase: a head on what MobileNetV2 makes of digits, up to the widening of its fourteenth block. */
export default defineRun({
  data: mnist({ limit: 10_000, resize: [64, 64], channels: 3, scale: 'none' }),
  model: { kind: 'mobilenetV2', weights: 'asset:mobilenet-v2', cutAt: 'block_13_expand_relu', trainable: 'head' },
  optimizer: adam({ learningRate: warmupCosine({ peak: 0.05, warmupSteps: 20 }) }),
  globalBatchSize: 256, microBatches: 8, epochs: 10,
});
