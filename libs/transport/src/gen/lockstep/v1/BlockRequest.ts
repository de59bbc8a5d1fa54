// Original file: proto/lockstep/v1/coordinator.proto


export interface BlockRequest {
  'sha256'?: (string);
}

export interface BlockRequest__Output {
  'sha256': (string);
}
