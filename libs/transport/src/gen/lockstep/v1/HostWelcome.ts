// Original file: proto/lockstep/v1/coordinator.proto


export interface HostWelcome {
  'host'?: (number);
  'runId'?: (string);
  'token'?: (string);
  'failureDetectionMs'?: (number);
  'reconnectForMs'?: (number);
}

export interface HostWelcome__Output {
  'host': (number);
  'runId': (string);
  'token': (string);
  'failureDetectionMs': (number);
  'reconnectForMs': (number);
}
