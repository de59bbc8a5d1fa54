// Original file: proto/lockstep/v1/coordinator.proto


export interface CoverageRequest {
  'request'?: (number);
}

export interface CoverageRequest__Output {
  'request': (number);
}
