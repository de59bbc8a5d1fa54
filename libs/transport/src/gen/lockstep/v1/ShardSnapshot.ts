// Original file: proto/lockstep/v1/coordinator.proto

import type { BlockReference as _lockstep_v1_BlockReference, BlockReference__Output as _lockstep_v1_BlockReference__Output } from '../../lockstep/v1/BlockReference.ts';

export interface ShardSnapshot {
  'generation'?: (number);
  'shard'?: (number);
  'version'?: (number);
  'state'?: (_lockstep_v1_BlockReference | null);
}

export interface ShardSnapshot__Output {
  'generation': (number);
  'shard': (number);
  'version': (number);
  'state': (_lockstep_v1_BlockReference__Output | null);
}
