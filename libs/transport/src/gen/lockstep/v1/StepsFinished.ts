// Original file: proto/lockstep/v1/coordinator.proto

import type { FinishedStep as _lockstep_v1_FinishedStep, FinishedStep__Output as _lockstep_v1_FinishedStep__Output } from '../../lockstep/v1/FinishedStep.ts';

export interface StepsFinished {
  'generation'?: (number);
  'shard'?: (number);
  'steps'?: (_lockstep_v1_FinishedStep)[];
}

export interface StepsFinished__Output {
  'generation': (number);
  'shard': (number);
  'steps': (_lockstep_v1_FinishedStep__Output)[];
}
