// Original file: proto/lockstep/v1/coordinator.proto


export interface SendFrozen {
  'token'?: (string);
}

export interface SendFrozen__Output {
  'token': (string);
}
