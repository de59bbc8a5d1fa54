// Original file: proto/lockstep/v1/coordinator.proto


export interface RelayReady {
  'generation'?: (number);
  'shards'?: (number)[];
  'unixAddresses'?: (string)[];
}

export interface RelayReady__Output {
  'generation': (number);
  'shards': (number)[];
  'unixAddresses': (string)[];
}
