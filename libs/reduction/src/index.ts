export { addTallies, emptyTally, type Tally } from './tally.ts';
export { heapNumber, isTreeNode, leafOf, microBatchesOf, nodesCovering, parentOf, type TreeNode } from './tree.ts';
export { TreeReduction, type PartialAlgebra } from './tree-reduction.ts';
