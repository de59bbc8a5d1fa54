// Original file: proto/lockstep/v1/coordinator.proto


export interface Rejoin {
  'runId'?: (string);
  'rank'?: (number);
}

export interface Rejoin__Output {
  'runId': (string);
  'rank': (number);
}
