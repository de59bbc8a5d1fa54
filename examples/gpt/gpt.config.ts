import { adamw, defineRun, tokens, warmupCosine } from 'lockstep';

/** A GPT of 0.9 million parameters on Moby Dick, in the style of GPT-2. */
export default defineRun({
  data: tokens('moby-dick/book.tokens', { rowLength: 128, validation: 0.05, test: 0.05 }),
  model: { kind: 'transformer', depth: 4, width: 128, heads: 4, contextLength: 128, dropout: 0.1 },
  optimizer: adamw({ learningRate: warmupCosine({ peak: 2e-3, warmupSteps: 50 }), weightDecay: 0.1 }),
  clipping: { globalNorm: 1 },
  globalBatchSize: 16,
  microBatches: 4,
  epochs: 6,
});
