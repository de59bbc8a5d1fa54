// Original file: proto/lockstep/v1/coordinator.proto


export interface Acknowledge {
  'stepsBefore'?: (number);
  'snapshotsBefore'?: (number);
}

export interface Acknowledge__Output {
  'stepsBefore': (number);
  'snapshotsBefore': (number);
}
