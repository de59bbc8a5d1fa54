// Original file: proto/lockstep/v1/coordinator.proto

import type { TreeNode as _lockstep_v1_TreeNode, TreeNode__Output as _lockstep_v1_TreeNode__Output } from '../../lockstep/v1/TreeNode.ts';

export interface Extra {
  'step'?: (number);
  'nodes'?: (_lockstep_v1_TreeNode)[];
}

export interface Extra__Output {
  'step': (number);
  'nodes': (_lockstep_v1_TreeNode__Output)[];
}
