// Original file: proto/lockstep/v1/coordinator.proto

import type { ParameterSpec as _lockstep_v1_ParameterSpec, ParameterSpec__Output as _lockstep_v1_ParameterSpec__Output } from '../../lockstep/v1/ParameterSpec.ts';

export interface ModelReady {
  'parameters'?: (_lockstep_v1_ParameterSpec)[];
  'topologyJson'?: (string);
  'frozenSha256'?: (string);
}

export interface ModelReady__Output {
  'parameters': (_lockstep_v1_ParameterSpec__Output)[];
  'topologyJson': (string);
  'frozenSha256': (string);
}
