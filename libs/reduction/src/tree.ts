/** A node of the fixed binary tree over a step's micro-batches: micro-batches `index * 2^level` up to the next node's first. */
export interface TreeNode {
  readonly level: number;
  readonly index: number;
}

/** The node of one micro-batch. */
export const leafOf = (microBatch: number): TreeNode => ({ level: 0, index: microBatch });

/** The node over all micro-batches. */
export const rootOf = (microBatches: number): TreeNode => ({ level: Math.log2(microBatches), index: 0 });

export const parentOf = (node: TreeNode): TreeNode => ({ level: node.level + 1, index: node.index >>> 1 });

/** The first micro-batch of a node and the first one after it. */
export function microBatchesOf(node: TreeNode): { readonly from: number; readonly to: number } {
  return { from: node.index * 2 ** node.level, to: (node.index + 1) * 2 ** node.level };
}

/** Whether `node` is a node of the tree over `microBatches` (a power of two) micro-batches. */
export function isTreeNode(node: TreeNode, microBatches: number): boolean {
  return Number.isInteger(node.level) && Number.isInteger(node.index) && node.level >= 0 && node.index >= 0
    && microBatchesOf(node).to <= microBatches;
}

/**
 * The fewest nodes that cover the micro-batches `from … to-1` and no others, in order: the subtrees that a worker sums
 * by itself.
 */
export function nodesCovering(from: number, to: number): TreeNode[] {
  const nodes: TreeNode[] = [];
  let next = from;
  while (next < to) {
    let level = 0;
    while (next % 2 ** (level + 1) === 0 && next + 2 ** (level + 1) <= to) level += 1;
    nodes.push({ level, index: next / 2 ** level });
    next += 2 ** level;
  }
  return nodes;
}

/** The fewest nodes that cover these micro-batches, given in any order, and no others; in order. */
export function nodesOf(microBatches: Iterable<number>): TreeNode[] {
  const nodes: TreeNode[] = [];
  const sorted = [...new Set(microBatches)].sort((a, b) => a - b);
  for (let at = 0, from = 0; at < sorted.length; at += 1) {
    const next = (sorted[at] ?? 0) + 1;
    if (sorted[at + 1] === next) continue;
    nodes.push(...nodesCovering(sorted[from] ?? 0, next));
    from = at + 1;
  }
  return nodes;
}

/**
 * A node's number in the heap order of the tree over `microBatches` leaves: the root is 1, the children of `h` are `2h`
 * and `2h + 1`. So the parent is `h >> 1` and the sibling `h ^ 1`.
 */
export const heapNumber = (node: TreeNode, microBatches: number): number => microBatches / 2 ** node.level + node.index;

/** The node of a heap number. */
export function nodeOfHeap(number: number, microBatches: number): TreeNode {
  const depth = 31 - Math.clz32(number);
  return { level: Math.log2(microBatches) - depth, index: number - 2 ** depth };
}
