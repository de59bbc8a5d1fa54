// Original file: proto/lockstep/v1/coordinator.proto

import type { Capabilities as _lockstep_v1_Capabilities, Capabilities__Output as _lockstep_v1_Capabilities__Output } from '../../lockstep/v1/Capabilities.ts';
import type { Rejoin as _lockstep_v1_Rejoin, Rejoin__Output as _lockstep_v1_Rejoin__Output } from '../../lockstep/v1/Rejoin.ts';

export interface Hello {
  'protocolVersion'?: (number);
  'capabilities'?: (_lockstep_v1_Capabilities | null);
  'rejoin'?: (_lockstep_v1_Rejoin | null);
}

export interface Hello__Output {
  'protocolVersion': (number);
  'capabilities': (_lockstep_v1_Capabilities__Output | null);
  'rejoin': (_lockstep_v1_Rejoin__Output | null);
}
