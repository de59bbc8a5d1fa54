export { EmbeddedShards, type EmbeddedShardsOptions, type HostedShard } from './embedded-shards.ts';
export { Shard, type FinishedStep, type ShardEvents, type ShardPlan, type WorkerShare } from './shard.ts';
export { wantsSnapshot, type SnapshotPlan } from './shard-messages.ts';
export { cutIntoShards, type ShardRange } from './shard-range.ts';
export { partsOfState, shardPlanSchema, slotNames, stateLength, trainableIn, type ShardState } from './shard-plan.ts';
