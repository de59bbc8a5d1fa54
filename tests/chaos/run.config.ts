import { adam, defineRun, mnist, warmupCosine } from 'lockstep';

/** Real digits and all that could depend on the cluster: dropout, validation, clipping over all shards, a last batch that is not full. */
export default defineRun({
  data: mnist({ limit: 2200, validation: 0.1 }),
  model: { kind: 'mlp', hidden: [64], dropout: 0.3 },
  optimizer: adam({ learningRate: warmupCosine({ peak: 2e-3, warmupSteps: 20 }) }),
  clipping: { globalNorm: 1 },
  globalBatchSize: 64, microBatches: 8, seed: 11,
});
