// Original file: proto/lockstep/v1/coordinator.proto

import type { Failure as _lockstep_v1_Failure, Failure__Output as _lockstep_v1_Failure__Output } from '../../lockstep/v1/Failure.ts';

export interface ShardFailed {
  'generation'?: (number);
  'shard'?: (number);
  'failure'?: (_lockstep_v1_Failure | null);
}

export interface ShardFailed__Output {
  'generation': (number);
  'shard': (number);
  'failure': (_lockstep_v1_Failure__Output | null);
}
