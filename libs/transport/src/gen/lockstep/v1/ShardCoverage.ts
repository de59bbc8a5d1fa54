// Original file: proto/lockstep/v1/coordinator.proto


export interface ShardCoverage {
  'generation'?: (number);
  'shard'?: (number);
  'version'?: (number);
  'missingMicroBatches'?: (number)[];
  'waitsFor'?: (string);
}

export interface ShardCoverage__Output {
  'generation': (number);
  'shard': (number);
  'version': (number);
  'missingMicroBatches': (number)[];
  'waitsFor': (string);
}
