// Original file: proto/lockstep/v1/coordinator.proto

import type { Capabilities as _lockstep_v1_Capabilities, Capabilities__Output as _lockstep_v1_Capabilities__Output } from '../../lockstep/v1/Capabilities.ts';

export interface Hello {
  'protocolVersion'?: (number);
  'capabilities'?: (_lockstep_v1_Capabilities | null);
}

export interface Hello__Output {
  'protocolVersion': (number);
  'capabilities': (_lockstep_v1_Capabilities__Output | null);
}
