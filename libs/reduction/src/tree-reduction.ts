import { heapNumber, type TreeNode } from './tree.ts';

/** How a reduction treats the partials it holds. */
export interface PartialAlgebra<Partial> {
  /** The parent's partial from its children's; may reuse either's memory. Always called left first. */
  merge(left: Partial, right: Partial): Partial;
  /** The partial is not needed any more: a larger one covers it. */
  release(partial: Partial): void;
}

/**
 * The reduction of one step along the fixed tree: partials come in any order, from anywhere, more than once, and are
 * merged with their siblings upward, so every sum has the same operands and the same bits whatever the order.
 * The step is complete when the root is covered.
 */
export class TreeReduction<Partial> {
  readonly #microBatches: number;
  readonly #algebra: PartialAlgebra<Partial>;
  /** By heap number. Never holds a node together with one of its ancestors, nor two siblings. */
  readonly #held = new Map<number, Partial>();

  constructor(microBatches: number, algebra: PartialAlgebra<Partial>) {
    this.#microBatches = microBatches;
    this.#algebra = algebra;
  }

  /** Whether the node's micro-batches are all in a held partial, so that another partial of it is of no use. */
  covers(node: TreeNode): boolean {
    for (let number = heapNumber(node, this.#microBatches); number >= 1; number >>>= 1) {
      if (this.#held.has(number)) return true;
    }
    return false;
  }

  /** Takes the partial of a node that is not covered, and merges upward as far as siblings are there. */
  add(node: TreeNode, partial: Partial): void {
    let number = heapNumber(node, this.#microBatches);
    this.#releaseBelow(number);
    let sum = partial;
    while (number > 1) {
      const sibling = this.#held.get(number ^ 1);
      if (sibling === undefined) break;
      this.#held.delete(number ^ 1);
      sum = number % 2 === 0 ? this.#algebra.merge(sum, sibling) : this.#algebra.merge(sibling, sum);
      number >>>= 1;
    }
    this.#held.set(number, sum);
  }

  /** The partial held for exactly this node, if any. */
  get(node: TreeNode): Partial | undefined {
    return this.#held.get(heapNumber(node, this.#microBatches));
  }

  /** The sum over the whole global batch once the root is covered. */
  get root(): Partial | undefined {
    return this.#held.get(1);
  }

  /** The micro-batches that no partial covers yet, in order. */
  missing(): number[] {
    return Array.from({ length: this.#microBatches }, (_, index) => index).filter((index) => !this.covers({ level: 0, index }));
  }

  /** Gives back every held partial. */
  clear(): void {
    for (const partial of this.#held.values()) this.#algebra.release(partial);
    this.#held.clear();
  }

  /** Partials below a node that arrives whole are not needed any more. */
  #releaseBelow(number: number): void {
    for (const [held, partial] of this.#held) {
      if (held > number && isDescendant(held, number)) {
        this.#held.delete(held);
        this.#algebra.release(partial);
      }
    }
  }
}

function isDescendant(descendant: number, ancestor: number): boolean {
  let number = descendant;
  while (number > ancestor) number >>>= 1;
  return number === ancestor;
}
