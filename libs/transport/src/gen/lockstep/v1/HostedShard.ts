// Original file: proto/lockstep/v1/coordinator.proto


export interface HostedShard {
  'generation'?: (number);
  'shard'?: (number);
  'role'?: (string);
  'version'?: (number);
  'unixAddress'?: (string);
  'tcpAddress'?: (string);
  'replicaAddress'?: (string);
}

export interface HostedShard__Output {
  'generation': (number);
  'shard': (number);
  'role': (string);
  'version': (number);
  'unixAddress': (string);
  'tcpAddress': (string);
  'replicaAddress': (string);
}
