import { adamw, defineRun, tokens, warmupCosine } from 'lockstep';

/** SmolLM2-135M-Instruct with adapters of rank 8 on its attention: everything else is frozen and never travels. */
export default defineRun({
  data: tokens('style/captain.tokens', { rowLength: 128, validation: 0.1, test: 0.1 }),
  model: { kind: 'pretrained', path: 'asset:smollm2', lora: { rank: 8, alpha: 16, targets: ['q_proj', 'v_proj'] } },
  optimizer: adamw({ learningRate: warmupCosine({ peak: 1e-3, warmupSteps: 5 }), weightDecay: 0 }),
  globalBatchSize: 4,
  microBatches: 4,
  epochs: 6,
});
