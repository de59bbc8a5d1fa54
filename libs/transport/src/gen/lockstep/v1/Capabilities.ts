// Original file: proto/lockstep/v1/coordinator.proto


export interface Capabilities {
  'engineBuild'?: (string);
  'device'?: (string);
  'gpuKind'?: (string);
  'instructionSet'?: (string);
  'hostname'?: (string);
  'pid'?: (number);
}

export interface Capabilities__Output {
  'engineBuild': (string);
  'device': (string);
  'gpuKind': (string);
  'instructionSet': (string);
  'hostname': (string);
  'pid': (number);
}
