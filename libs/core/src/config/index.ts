export { augmentationSchema, dataSchema, type AugmentationConfig, type DataConfig, type DataOptions, type DataSource } from './data-config.ts';
export { lossSchema, modelSchema, ZOO_MODELS, type LossConfig, type LossOptions, type ModelConfig, type ModelOptions, type ZooModel } from './model-config.ts';
export { clippingSchema, optimizerSchema, scheduleSchema, type ClippingConfig, type OptimizerConfig, type OptimizerOptions, type ScheduleConfig, type ScheduleOptions } from './optimizer-config.ts';
export { numericsSchema, runSchema, type NumericsConfig, type RunConfig, type RunOptions } from './run-config.ts';
