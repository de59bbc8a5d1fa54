// Original file: proto/lockstep/v1/coordinator.proto

import type { Rehost as _lockstep_v1_Rehost, Rehost__Output as _lockstep_v1_Rehost__Output } from '../../lockstep/v1/Rehost.ts';

export interface HostHello {
  'protocolVersion'?: (number);
  'kind'?: (string);
  'hostname'?: (string);
  'pid'?: (number);
  'rehost'?: (_lockstep_v1_Rehost | null);
}

export interface HostHello__Output {
  'protocolVersion': (number);
  'kind': (string);
  'hostname': (string);
  'pid': (number);
  'rehost': (_lockstep_v1_Rehost__Output | null);
}
