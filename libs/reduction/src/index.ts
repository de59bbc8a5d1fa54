export { addTallies, emptyTally, type Tally } from './tally.ts';
export { heapNumber, isTreeNode, leafOf, microBatchesOf, nodesCovering, nodesOf, parentOf, type TreeNode } from './tree.ts';
export { TreeReduction, type PartialAlgebra } from './tree-reduction.ts';
export { clippingFactor, NORM_BLOCK } from './clipping.ts';
export { createKernels, type KernelOptions, type Kernels, type Scan } from './kernels.ts';
export { createOptimizer } from './optimizers/create-optimizer.ts';
export type { Optimizer, OptimizerSlot } from './optimizers/optimizer.ts';
export { learningRateAt } from './schedule.ts';
export type { Vector } from './vector.ts';
