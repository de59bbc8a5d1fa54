// Original file: proto/lockstep/v1/coordinator.proto

import type { ShardEndpoint as _lockstep_v1_ShardEndpoint, ShardEndpoint__Output as _lockstep_v1_ShardEndpoint__Output } from '../../lockstep/v1/ShardEndpoint.ts';

export interface Replicate {
  'generation'?: (number);
  'shard'?: (number);
  'to'?: (_lockstep_v1_ShardEndpoint | null);
}

export interface Replicate__Output {
  'generation': (number);
  'shard': (number);
  'to': (_lockstep_v1_ShardEndpoint__Output | null);
}
