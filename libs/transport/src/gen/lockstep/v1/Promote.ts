// Original file: proto/lockstep/v1/coordinator.proto


export interface Promote {
  'generation'?: (number);
  'shard'?: (number);
}

export interface Promote__Output {
  'generation': (number);
  'shard': (number);
}
