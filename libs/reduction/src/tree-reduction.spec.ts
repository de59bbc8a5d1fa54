import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodesCovering, type TreeNode } from './tree.ts';
import { TreeReduction } from './tree-reduction.ts';

/** Sums written out, so that a test sees which operands were added and in what order. */
const written = {
  merge: (left: string, right: string) => `(${left}+${right})`,
  release: () => undefined,
};

function sumOf(node: TreeNode): string {
  if (node.level === 0) return String(node.index);
  const child = (index: number) => sumOf({ level: node.level - 1, index });
  return `(${child(node.index * 2)}+${child(node.index * 2 + 1)})`;
}

function reduce(microBatches: number, arrivals: readonly TreeNode[]): TreeReduction<string> {
  const reduction = new TreeReduction(microBatches, written);
  for (const node of arrivals) {
    if (!reduction.covers(node)) reduction.add(node, sumOf(node));
  }
  return reduction;
}

const expected8 = '(((0+1)+(2+3))+((4+5)+(6+7)))';

describe('a step\'s reduction', () => {
  it('adds the same operands in the same order whatever the order of arrival', () => {
    const leaves = nodesCovering(0, 8).flatMap(() => Array.from({ length: 8 }, (_, index) => ({ level: 0, index })));
    fc.assert(fc.property(fc.shuffledSubarray(leaves, { minLength: 8 }), (arrivals) => {
      expect(reduce(8, arrivals).root).toBe(expected8);
    }));
  });

  it('gives the same sum however the tree is cut over workers, with work done twice', () => {
    const nodes = fc.tuple(fc.nat(3), fc.nat(7)).map(([level, index]) => ({ level, index: index >> level }));
    fc.assert(fc.property(fc.array(nodes, { maxLength: 30 }), (extra) => {
      const all = [...extra, ...Array.from({ length: 8 }, (_, index) => ({ level: 0, index }))];
      expect(reduce(8, all).root).toBe(expected8);
    }));
  });

  it('is complete exactly when every micro-batch is covered', () => {
    const reduction = reduce(4, [{ level: 1, index: 1 }, { level: 0, index: 0 }]);
    expect(reduction.root).toBeUndefined();
    expect(reduction.missing()).toEqual([1]);
    reduction.add({ level: 0, index: 1 }, '1');
    expect(reduction.root).toBe('((0+1)+(2+3))');
    expect(reduction.missing()).toEqual([]);
  });

  it('gives back every partial that it does not return', () => {
    const released: string[] = [];
    const reduction = new TreeReduction(4, { ...written, release: (partial: string) => released.push(partial) });
    reduction.add({ level: 0, index: 0 }, '0');
    reduction.add({ level: 0, index: 2 }, '2');
    reduction.add({ level: 1, index: 0 }, '(0+1)');
    expect(released).toEqual(['0']);
    reduction.clear();
    expect(released.sort()).toEqual(['(0+1)', '0', '2'].sort());
  });
});
