export { HostedShard, type HostedShardEvents } from './hosted-shard.ts';
export { ShardHost, type ShardHostOptions } from './shard-host.ts';
export { partsOfState, shardPlanSchema, slotNames, stateLength, trainableIn, wantsSnapshot, type ShardPlan, type ShardState } from './shard-plan.ts';
export { cutIntoShards, type ShardRange } from './shard-range.ts';
