import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { heapNumber, isTreeNode, leafOf, microBatchesOf, nodesCovering, nodesOf, parentOf } from './tree.ts';

describe('the tree over a step\'s micro-batches', () => {
  it('covers any range with whole subtrees, in order, without gap or overlap', () => {
    fc.assert(fc.property(fc.nat(300), fc.nat(300), (a, b) => {
      const [from, to] = [Math.min(a, b), Math.max(a, b)];
      let next = from;
      for (const node of nodesCovering(from, to)) {
        expect(microBatchesOf(node).from).toBe(next);
        next = microBatchesOf(node).to;
      }
      expect(next).toBe(to);
    }));
  });

  it('uses the fewest nodes: no two siblings among them', () => {
    fc.assert(fc.property(fc.nat(300), fc.nat(300), (a, b) => {
      const nodes = nodesCovering(Math.min(a, b), Math.max(a, b));
      const parents = nodes.map((node) => `${parentOf(node).level}:${parentOf(node).index}`);
      expect(new Set(parents).size).toBe(parents.length);
    }));
  });

  it('covers any set of micro-batches, and no others', () => {
    fc.assert(fc.property(fc.array(fc.nat(63)), (microBatches) => {
      const covered = nodesOf(microBatches).flatMap((node) => {
        const { from, to } = microBatchesOf(node);
        return Array.from({ length: to - from }, (_, offset) => from + offset);
      });
      expect(covered).toEqual([...new Set(microBatches)].sort((a, b) => a - b));
    }));
    expect(nodesOf([6, 0, 1, 2, 3, 7])).toEqual([{ level: 2, index: 0 }, { level: 1, index: 3 }]);
  });

  it('numbers nodes as a heap, so that the parent is half of the number', () => {
    for (let microBatch = 0; microBatch < 16; microBatch += 1) {
      let node = leafOf(microBatch);
      while (heapNumber(node, 16) > 1) {
        expect(heapNumber(parentOf(node), 16)).toBe(heapNumber(node, 16) >> 1);
        node = parentOf(node);
      }
      expect(node).toEqual({ level: 4, index: 0 });
    }
  });

  it('knows the nodes that are not of the tree', () => {
    expect(isTreeNode({ level: 3, index: 0 }, 8)).toBe(true);
    expect(isTreeNode({ level: 3, index: 1 }, 8)).toBe(false);
    expect(isTreeNode({ level: 0, index: 8 }, 8)).toBe(false);
    expect(isTreeNode({ level: 0, index: -1 }, 8)).toBe(false);
    expect(isTreeNode({ level: 0.5, index: 0 }, 8)).toBe(false);
  });
});
