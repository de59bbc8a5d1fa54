/** What a config file imports: `import { defineRun, mnist, adam } from 'lockstep'`. Loads neither TensorFlow.js nor gRPC. */
export { csv, idx, images, mnist, tokens, type PreparationOptions, type TokenOptions } from './config/data-builders.ts';
export { defineRun, type BuildModel, type LossName, type ModelContext, type RunDefinition } from './config/definition.ts';
export { adam, adamw, momentum, nesterov, rmsprop, sgd } from './config/optimizer-builders.ts';
export { constant, cosine, exponential, step, warmup, warmupCosine } from './config/schedule-builders.ts';
export { powerSgd, topK } from './config/wire-builders.ts';
