import { adam, defineRun, mnist, warmupCosine } from 'lockstep';

/** The second phase: from the first phase's values, the convolutions of the last blocks too, at a lower rate. BatchNorm stays as it is. */
export default defineRun({
  data: mnist({ limit: 10_000, resize: [64, 64], channels: 3, scale: 'none' }),
  model: {
    kind: 'mobilenetV2', weights: 'asset:mobilenet-v2', cutAt: 'block_13_expand_relu',
    trainable: ['block_11_*project', 'block_11_*expand', 'block_11_*depthwise', 'block_12_*project', 'block_12_*expand', 'block_12_*depthwise', 'block_13_expand'],
  },
  initFrom: '../../runs/head',
  optimizer: adam({ learningRate: warmupCosine({ peak: 1e-3, warmupSteps: 20 }) }),
  globalBatchSize: 256, microBatches: 8, epochs: 5,
});
