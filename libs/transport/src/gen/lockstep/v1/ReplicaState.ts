// Original file: proto/lockstep/v1/coordinator.proto


export interface ReplicaState {
  'generation'?: (number);
  'shard'?: (number);
  'inSync'?: (boolean);
  'reason'?: (string);
  'replicaAddress'?: (string);
}

export interface ReplicaState__Output {
  'generation': (number);
  'shard': (number);
  'inSync': (boolean);
  'reason': (string);
  'replicaAddress': (string);
}
