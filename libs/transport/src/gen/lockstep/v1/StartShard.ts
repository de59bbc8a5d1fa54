// Original file: proto/lockstep/v1/coordinator.proto

import type { BlockReference as _lockstep_v1_BlockReference, BlockReference__Output as _lockstep_v1_BlockReference__Output } from '../../lockstep/v1/BlockReference.ts';

export interface StartShard {
  'generation'?: (number);
  'shard'?: (number);
  'role'?: (string);
  'planJson'?: (string);
  'start'?: (_lockstep_v1_BlockReference | null);
  'startVersion'?: (number);
  'sharedMemory'?: (boolean);
}

export interface StartShard__Output {
  'generation': (number);
  'shard': (number);
  'role': (string);
  'planJson': (string);
  'start': (_lockstep_v1_BlockReference__Output | null);
  'startVersion': (number);
  'sharedMemory': (boolean);
}
