// Original file: proto/lockstep/v1/coordinator.proto


export interface Failure {
  'code'?: (string);
  'message'?: (string);
  'hint'?: (string);
}

export interface Failure__Output {
  'code': (string);
  'message': (string);
  'hint': (string);
}
