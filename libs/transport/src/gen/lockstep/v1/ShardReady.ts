// Original file: proto/lockstep/v1/coordinator.proto


export interface ShardReady {
  'generation'?: (number);
  'shard'?: (number);
  'unixAddress'?: (string);
  'tcpAddress'?: (string);
}

export interface ShardReady__Output {
  'generation': (number);
  'shard': (number);
  'unixAddress': (string);
  'tcpAddress': (string);
}
