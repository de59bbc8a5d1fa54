// Original file: proto/lockstep/v1/coordinator.proto

import type { BlockReference as _lockstep_v1_BlockReference, BlockReference__Output as _lockstep_v1_BlockReference__Output } from '../../lockstep/v1/BlockReference.ts';

export interface Evaluate {
  'evaluation'?: (number);
  'split'?: (string);
  'parameters'?: (_lockstep_v1_BlockReference | null);
  'parts'?: (number)[];
}

export interface Evaluate__Output {
  'evaluation': (number);
  'split': (string);
  'parameters': (_lockstep_v1_BlockReference__Output | null);
  'parts': (number)[];
}
