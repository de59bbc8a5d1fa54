import { adamw, defineRun, warmupCosine } from 'lockstep';

/** A small GPT with everything that draws or depends on a batch: dropout, an epoch whose last batch is not full, clipping by the global norm. */
export default defineRun({
  model: { kind: 'transformer', depth: 2, width: 32, heads: 4, contextLength: 32, dropout: 0.1 },
  optimizer: adamw({ learningRate: warmupCosine({ peak: 3e-3, warmupSteps: 5 }) }),
  clipping: { globalNorm: 1 },
  globalBatchSize: 12,
  microBatches: 4,
  epochs: 2,
  seed: 7,
});
