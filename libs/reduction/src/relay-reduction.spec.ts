import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RelayReduction } from './relay-reduction.ts';
import { microBatchesOf, nodesCovering, type TreeNode } from './tree.ts';

const MICRO_BATCHES = 8;
const node = (level: number, index: number): TreeNode => ({ level, index });

/** The sum of a node written out. */
function sumOf({ level, index }: TreeNode): string {
  return level === 0 ? String(index) : `(${sumOf(node(level - 1, index * 2))}+${sumOf(node(level - 1, index * 2 + 1))})`;
}

class Relay {
  readonly passed: string[] = [];
  readonly released: string[] = [];
  readonly reduction = new RelayReduction<string>(MICRO_BATCHES, {
    merge: (left, right) => `(${left}+${right})`,
    release: (sum) => this.released.push(sum),
  }, (passedNode, sum) => {
    expect(sum).toBe(sumOf(passedNode));
    this.passed.push(sum);
  });

  bring(...nodes: readonly TreeNode[]): void {
    for (const each of nodes) if (!this.reduction.covers(each)) this.reduction.add(each, sumOf(each));
  }
}

describe('a relay\'s reduction', () => {
  it('passes one sum on for the machine, once the last of its workers has brought its part', () => {
    const relay = new Relay();
    relay.reduction.announce(0, [node(1, 0)]);
    relay.reduction.announce(1, [node(1, 1)]);
    relay.bring(node(1, 0));
    expect(relay.passed).toEqual([]);
    relay.bring(node(1, 1));
    expect(relay.passed).toEqual([sumOf(node(2, 0))]);
    expect(relay.reduction.isHolding).toBe(false);
  });

  it('holds back nothing that nobody here can add to', () => {
    const relay = new Relay();
    relay.reduction.announce(0, [node(1, 0), node(0, 2)]);
    relay.reduction.announce(1, [node(1, 2)]);
    relay.bring(node(1, 0), node(0, 2), node(1, 2));
    expect(relay.passed).toEqual([sumOf(node(1, 0)), sumOf(node(0, 2)), sumOf(node(1, 2))]);
  });

  it('waits for a sum that others are still to be made of', () => {
    const relay = new Relay();
    relay.reduction.announce(0, [node(1, 0)]);
    relay.reduction.announce(1, [node(0, 2)]);
    relay.reduction.announce(2, [node(0, 3)]);
    relay.bring(node(1, 0), node(0, 3), node(0, 2));
    expect(relay.passed).toEqual([sumOf(node(2, 0))]);
  });

  it.each([
    ['the worker that was to bring it is gone', (relay: Relay) => relay.reduction.forget(1)],
    ['that worker computes something else', (relay: Relay) => relay.reduction.announce(1, [node(0, 7)])],
    ['there is no time', (relay: Relay) => relay.reduction.hurry()],
  ])('passes on what it holds when its sibling does not come: %s', (_, happens) => {
    const relay = new Relay();
    relay.reduction.announce(1, [node(1, 1)]);
    relay.bring(node(1, 0));
    expect(relay.passed).toEqual([]);
    happens(relay);
    expect(relay.passed).toEqual([sumOf(node(1, 0))]);
    expect(relay.reduction.covers(node(0, 1))).toBe(true);
    relay.bring(node(1, 1));
    expect(relay.passed).toEqual([sumOf(node(1, 0)), sumOf(node(1, 1))]);
  });

  it('begins a step with nothing of the one before', () => {
    const relay = new Relay();
    relay.reduction.announce(0, [node(1, 0), node(1, 1)]);
    relay.bring(node(1, 0));
    relay.reduction.clear();
    expect(relay.released).toEqual([sumOf(node(1, 0))]);
    expect(relay.reduction.covers(node(1, 0))).toBe(false);
    relay.bring(node(1, 0));
    expect(relay.passed).toEqual([sumOf(node(1, 0))]);
  });

  it('passes on each micro-batch that it was brought, in sums of the tree, whatever is announced, brought, done twice or lost', () => {
    const anyNode = fc.tuple(fc.nat(3), fc.nat(MICRO_BATCHES - 1)).map(([level, index]) => node(level, index >> level));
    const anyEvent = fc.oneof(
      fc.record({ kind: fc.constant('announce' as const), source: fc.nat(3), nodes: fc.array(anyNode, { maxLength: 4 }) }),
      fc.record({ kind: fc.constant('bring' as const), nodes: fc.array(anyNode, { maxLength: 4 }) }),
      fc.record({ kind: fc.constant('forget' as const), source: fc.nat(3) }),
    );
    fc.assert(fc.property(fc.array(anyEvent, { maxLength: 30 }), (events) => {
      const relay = new Relay();
      const brought = new Set<number>();
      for (const event of events) {
        if (event.kind === 'announce') relay.reduction.announce(event.source, event.nodes);
        else if (event.kind === 'forget') relay.reduction.forget(event.source);
        else relay.bring(...event.nodes);
        if (event.kind === 'bring') for (const { from, to } of event.nodes.map(microBatchesOf)) for (let index = from; index < to; index += 1) brought.add(index);
      }
      for (let source = 0; source < 4; source += 1) relay.reduction.forget(source);
      expect(relay.reduction.isHolding).toBe(false);
      const passed = new Set(relay.passed.flatMap((sum) => (sum.match(/\d+/g) ?? []).map(Number)));
      expect(passed).toEqual(brought);
    }));
  });

  it('crosses the network once for a machine that has a whole subtree, however that is cut over its workers', () => {
    fc.assert(fc.property(fc.uniqueArray(fc.integer({ min: 1, max: MICRO_BATCHES - 1 }), { maxLength: 4 }), fc.infiniteStream(fc.nat()), (cuts, order) => {
      const relay = new Relay();
      const ends = [0, ...cuts.sort((a, b) => a - b), MICRO_BATCHES];
      const parts = ends.slice(1).map((end, worker) => nodesCovering(ends[worker]!, end));
      parts.forEach((nodes, worker) => relay.reduction.announce(worker, nodes));
      for (const left = parts.flat(); left.length > 0;) relay.bring(...left.splice(order.next().value! % left.length, 1));
      expect(relay.passed).toEqual([sumOf(node(3, 0))]);
    }));
  });
});
