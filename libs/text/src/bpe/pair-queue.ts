/** A pair of neighbouring tokens, by number, with how often it occurs. */
export interface CountedPair {
  readonly pair: number;
  readonly count: number;
}

/** Gives the most frequent pair first, of equals the one with the least number: a binary heap. */
export class PairQueue {
  readonly #heap: CountedPair[] = [];

  push(entry: CountedPair): void {
    let at = this.#heap.length;
    for (let parent = (at - 1) >> 1; at > 0 && comesBefore(entry, this.#heap[parent]!); parent = (at - 1) >> 1) {
      this.#heap[at] = this.#heap[parent]!;
      at = parent;
    }
    this.#heap[at] = entry;
  }

  pop(): CountedPair | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (this.#heap.length > 0) this.#sink(last!);
    return first;
  }

  /** Puts an entry in the place of the first. */
  #sink(entry: CountedPair): void {
    const { length } = this.#heap;
    let at = 0;
    for (let child = 1; child < length; child = 2 * at + 1) {
      if (child + 1 < length && comesBefore(this.#heap[child + 1]!, this.#heap[child]!)) child += 1;
      if (!comesBefore(this.#heap[child]!, entry)) break;
      this.#heap[at] = this.#heap[child]!;
      at = child;
    }
    this.#heap[at] = entry;
  }
}

const comesBefore = (a: CountedPair, b: CountedPair): boolean => a.count > b.count || (a.count === b.count && a.pair < b.pair);
