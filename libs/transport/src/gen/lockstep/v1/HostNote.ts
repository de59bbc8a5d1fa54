// Original file: proto/lockstep/v1/coordinator.proto


export interface HostNote {
  'level'?: (string);
  'message'?: (string);
}

export interface HostNote__Output {
  'level': (string);
  'message': (string);
}
