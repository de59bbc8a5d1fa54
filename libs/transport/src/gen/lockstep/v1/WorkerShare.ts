// Original file: proto/lockstep/v1/coordinator.proto


export interface WorkerShare {
  'rank'?: (number);
  'microBatches'?: (number);
  'computeMs'?: (number | string);
}

export interface WorkerShare__Output {
  'rank': (number);
  'microBatches': (number);
  'computeMs': (number);
}
