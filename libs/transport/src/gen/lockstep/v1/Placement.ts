// Original file: proto/lockstep/v1/coordinator.proto

import type { ShardEndpoint as _lockstep_v1_ShardEndpoint, ShardEndpoint__Output as _lockstep_v1_ShardEndpoint__Output } from '../../lockstep/v1/ShardEndpoint.ts';

export interface Placement {
  'number'?: (number);
  'generation'?: (number);
  'shards'?: (_lockstep_v1_ShardEndpoint)[];
  'token'?: (string);
  'relayAddresses'?: (string)[];
}

export interface Placement__Output {
  'number': (number);
  'generation': (number);
  'shards': (_lockstep_v1_ShardEndpoint__Output)[];
  'token': (string);
  'relayAddresses': (string)[];
}
