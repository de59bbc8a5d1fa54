export { isBackbone, type BackboneConfig } from './config/backbone-config.ts';
export { augmentationSchema, dataSchema, type AugmentationConfig, type DataConfig, type DataOptions, type DataSource, type DataSourceOptions } from './config/data-config.ts';
export { isLanguageModel, lossSchema, modelSchema, ZOO_MODELS, type LanguageModelConfig, type LossConfig, type LossOptions, type ModelConfig, type ModelOptions, type ZooModel } from './config/model-config.ts';
export { layerRatesSchema, rateRanges, type RateRange } from './config/layer-rates.ts';
export { clippingSchema, optimizerSchema, scheduleSchema, type ClippingConfig, type OptimizerConfig, type OptimizerOptions, type ScheduleConfig, type ScheduleOptions } from './config/optimizer-config.ts';
export { CLUSTER_FIELDS, numericsSchema, runSchema, type NumericsConfig, type RunConfig, type RunOptions, type ShardHostKind } from './config/run-config.ts';
export { architectureOf, loraSchema, transformerSchema, type LoraConfig, type TransformerArchitecture, type TransformerConfig } from './config/transformer-config.ts';
export {
  parameterWireSchema, roundedWireSchema, wireSchema, type CompressedWire, type CompressedWireOptions, type ParameterWireConfig, type RoundedWire, type WireConfig,
} from './config/wire-config.ts';
export { importBundle, importModelFunction, type ConfigBundle } from './config-bundle.ts';
export { cacheDirectory } from './cache-directory.ts';
export { onceThereIsRoom, type RoomOptions } from './disk-room.ts';
export { assertNever, LockstepError, messageOf, type ErrorCode, type LockstepErrorOptions } from './errors.ts';
export { bytesOf, sha256 } from './hashing.ts';
export { INSTRUCTION_SETS, type Capabilities, type InstructionSet, type Numerics } from './numerics.ts';
export { matchesPattern } from './name-pattern.ts';
export { layOutFrozen, layOutParameters, layOutWholeModel, type ParameterLayout, type ParameterSpec, type PlacedParameter } from './parameter-layout.ts';
export type { CheckpointEvent, EndEvent, EpochEvent, ExampleKind, LogEvent, RunEvent, ShardsEvent, StallEvent, StartEvent, StepEvent, WorkerEvent } from './run-events.ts';
export { syncDirectory } from './sync-directory.ts';
export type { StoredTensor, TensorSource } from './tensor-source.ts';
export { deriveSeed, uniformStream, type SeedPurpose } from './seeds.ts';
export { medianOf } from './statistics.ts';
export { epochOf, microBatchOf, rankOf, stepOf, versionOf, type Brand, type Epoch, type MicroBatch, type Rank, type Step, type Version } from './words.ts';
