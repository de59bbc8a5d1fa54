// Original file: proto/lockstep/v1/coordinator.proto


export interface SnapshotAt {
  'version'?: (number);
}

export interface SnapshotAt__Output {
  'version': (number);
}
