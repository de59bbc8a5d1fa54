export { detectCapabilities } from './capabilities.ts';
export type { Engine, Tf } from './engine.ts';
export { evaluatePart } from './evaluate-part.ts';
export { loadEngine } from './load-engine.ts';
export { openLocalEngine } from './local-engine.ts';
export { numericsEnvironment } from './numerics-environment.ts';
export { createTrainingModel, type Evaluation, type LanguageModel, type MicroBatchGradient, type ModelTensors, type TrainingModel, type TrainingModelOptions } from './training-model.ts';
export type { TokenBatch } from './token-batch.ts';
export { visibleGpus } from './visible-gpus.ts';
