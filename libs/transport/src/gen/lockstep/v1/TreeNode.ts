// Original file: proto/lockstep/v1/coordinator.proto


export interface TreeNode {
  'level'?: (number);
  'index'?: (number);
}

export interface TreeNode__Output {
  'level': (number);
  'index': (number);
}
