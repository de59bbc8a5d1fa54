// Original file: proto/lockstep/v1/coordinator.proto


export interface WorkerHeartbeat {
  'step'?: (number);
}

export interface WorkerHeartbeat__Output {
  'step': (number);
}
