export * from './config/index.ts';
export { importBundle, importModelFunction, type ConfigBundle } from './config-bundle.ts';
export { assertNever, LockstepError, messageOf, type ErrorCode, type LockstepErrorOptions } from './errors.ts';
export { bytesOf, sha256 } from './hashing.ts';
export { INSTRUCTION_SETS, type Capabilities, type InstructionSet, type Numerics } from './numerics.ts';
export { layOutParameters, type ParameterLayout, type ParameterSpec, type PlacedParameter } from './parameter-layout.ts';
export type { EndEvent, EpochEvent, LogEvent, RunEvent, StartEvent, StepEvent, WorkerEvent } from './run-events.ts';
export { deriveSeed, uniformStream, type SeedPurpose } from './seeds.ts';
export { epochOf, microBatchOf, rankOf, stepOf, versionOf, type Brand, type Epoch, type MicroBatch, type Rank, type Step, type Version } from './words.ts';
