// Original file: proto/lockstep/v1/coordinator.proto

import type { ShardEndpoint as _lockstep_v1_ShardEndpoint, ShardEndpoint__Output as _lockstep_v1_ShardEndpoint__Output } from '../../lockstep/v1/ShardEndpoint.ts';

export interface Shards {
  'shards'?: (_lockstep_v1_ShardEndpoint)[];
  'initialize'?: (boolean);
}

export interface Shards__Output {
  'shards': (_lockstep_v1_ShardEndpoint__Output)[];
  'initialize': (boolean);
}
