// Original file: proto/lockstep/v1/coordinator.proto

import type { ShardEndpoint as _lockstep_v1_ShardEndpoint, ShardEndpoint__Output as _lockstep_v1_ShardEndpoint__Output } from '../../lockstep/v1/ShardEndpoint.ts';

export interface Peers {
  'generation'?: (number);
  'shards'?: (_lockstep_v1_ShardEndpoint)[];
}

export interface Peers__Output {
  'generation': (number);
  'shards': (_lockstep_v1_ShardEndpoint__Output)[];
}
