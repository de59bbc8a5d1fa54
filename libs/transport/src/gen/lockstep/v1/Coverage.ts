// Original file: proto/lockstep/v1/coordinator.proto

import type { ShardCoverage as _lockstep_v1_ShardCoverage, ShardCoverage__Output as _lockstep_v1_ShardCoverage__Output } from '../../lockstep/v1/ShardCoverage.ts';

export interface Coverage {
  'request'?: (number);
  'shards'?: (_lockstep_v1_ShardCoverage)[];
}

export interface Coverage__Output {
  'request': (number);
  'shards': (_lockstep_v1_ShardCoverage__Output)[];
}
