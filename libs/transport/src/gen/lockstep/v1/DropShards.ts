// Original file: proto/lockstep/v1/coordinator.proto


export interface DropShards {
  'belowGeneration'?: (number);
  'shardNumbers'?: (number)[];
}

export interface DropShards__Output {
  'belowGeneration': (number);
  'shardNumbers': (number)[];
}
