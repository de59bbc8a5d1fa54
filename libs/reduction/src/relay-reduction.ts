import { heapNumber, nodeOfHeap, type TreeNode } from './tree.ts';
import type { PartialAlgebra } from './tree-reduction.ts';

/**
 * What a relay does with the partials of one step: those of siblings are added up along the fixed tree, and each sum is passed on
 * as soon as nothing that is still awaited here could be added to it. Every sum is one that the tree has, so who adds it up
 * changes no bit.
 */
export class RelayReduction<Partial> {
  readonly #microBatches: number;
  readonly #algebra: PartialAlgebra<Partial>;
  readonly #pass: (node: TreeNode, partial: Partial) => void;
  /** By heap number. Never holds a node together with one of its ancestors, nor two siblings. */
  readonly #held = new Map<number, Partial>();
  readonly #passed = new Set<number>();
  /** The nodes that each source has announced and not brought. */
  readonly #awaited = new Map<number, Set<number>>();
  #isPatient = true;

  /** `pass` gets each sum that leaves; it is not used here any more. */
  constructor(microBatches: number, algebra: PartialAlgebra<Partial>, pass: (node: TreeNode, partial: Partial) => void) {
    this.#microBatches = microBatches;
    this.#algebra = algebra;
    this.#pass = pass;
  }

  /** Whether anything waits for its sibling. */
  get isHolding(): boolean {
    return this.#held.size > 0;
  }

  /** Whether a partial of the node is of no use any more. */
  covers(node: TreeNode): boolean {
    for (let number = heapNumber(node, this.#microBatches); number >= 1; number >>>= 1) {
      if (this.#held.has(number) || this.#passed.has(number)) return true;
    }
    return false;
  }

  /** The source will bring these nodes, and none of those that it announced before. */
  announce(source: number, nodes: readonly TreeNode[]): void {
    this.#awaited.set(source, new Set(nodes.filter((node) => !this.covers(node)).map((node) => heapNumber(node, this.#microBatches))));
    this.#settle();
  }

  /** Nothing more comes from the source. */
  forget(source: number): void {
    if (this.#awaited.delete(source)) this.#settle();
  }

  /** Takes the partial of a node that is not covered. */
  add(node: TreeNode, partial: Partial): void {
    let number = heapNumber(node, this.#microBatches);
    for (const awaited of this.#awaited.values()) awaited.delete(number);
    this.#releaseBelow(number);
    let sum = partial;
    for (let sibling = this.#take(number ^ 1); sibling !== undefined; sibling = this.#take(number ^ 1)) {
      sum = number % 2 === 0 ? this.#algebra.merge(sum, sibling) : this.#algebra.merge(sibling, sum);
      number >>>= 1;
    }
    this.#held.set(number, sum);
    this.#settle();
  }

  /** From now on until the step is over nothing waits: what is held is passed on, and what comes. */
  hurry(): void {
    this.#isPatient = false;
    this.#settle();
  }

  /** Another step begins. */
  clear(): void {
    for (const partial of this.#held.values()) this.#algebra.release(partial);
    this.#held.clear();
    this.#passed.clear();
    this.#awaited.clear();
    this.#isPatient = true;
  }

  #take(number: number): Partial | undefined {
    const partial = number > 1 ? this.#held.get(number) : undefined;
    this.#held.delete(number);
    return partial;
  }

  /** Passes on what nothing can be added to any more. */
  #settle(): void {
    const toCome = this.#isPatient ? this.#toCome() : new Set<number>();
    for (const [number, partial] of this.#held) {
      if (number > 1 && toCome.has(number ^ 1)) continue;
      this.#held.delete(number);
      this.#passed.add(number);
      this.#pass(nodeOfHeap(number, this.#microBatches), partial);
    }
  }

  /** The nodes whose sums can be made of what is held and what is awaited. */
  #toCome(): Set<number> {
    const found = new Set([this.#held.keys(), ...[...this.#awaited.values()].map((awaited) => awaited.keys())].flatMap((numbers) => [...numbers]));
    // It grows while it is gone through.
    for (const number of found) if (number > 1 && found.has(number ^ 1)) found.add(number >>> 1);
    return found;
  }

  /** Partials below a node that comes whole are not needed any more. */
  #releaseBelow(number: number): void {
    for (const [held, partial] of this.#held) {
      const above = held >>> Math.max(0, Math.clz32(number) - Math.clz32(held));
      if (held <= number || above !== number) continue;
      this.#held.delete(held);
      this.#algebra.release(partial);
    }
  }
}
