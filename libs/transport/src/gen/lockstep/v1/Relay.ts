// Original file: proto/lockstep/v1/coordinator.proto


export interface Relay {
  'generation'?: (number);
  'shards'?: (number)[];
  'sharedMemory'?: (boolean);
}

export interface Relay__Output {
  'generation': (number);
  'shards': (number)[];
  'sharedMemory': (boolean);
}
