// Original file: proto/lockstep/v1/coordinator.proto


export interface ParameterSpec {
  'name'?: (string);
  'shape'?: (number)[];
  'kind'?: (string);
}

export interface ParameterSpec__Output {
  'name': (string);
  'shape': (number)[];
  'kind': (string);
}
