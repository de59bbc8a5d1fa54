import { PairQueue } from './pair-queue.ts';

/** Pairs of tokens are numbered `first * PAIR_BASE + second`, which orders them as pairs. */
const PAIR_BASE = 2 ** 26;

export const pairOf = (first: number, second: number): number => first * PAIR_BASE + second;
export const partsOf = (pair: number): [number, number] => [Math.floor(pair / PAIR_BASE), pair % PAIR_BASE];

/** A pre-token as it is cut by now. */
export interface Word {
  tokens: readonly number[];
  /** How often it occurs in the text. */
  readonly count: number;
}

/** How often each pair of neighbouring tokens occurs in the words, and in which words, while pairs are merged. */
export class PairCounts {
  readonly #words: readonly Word[];
  readonly #counts = new Map<number, number>();
  /** Words that have, or once had, a pair. */
  readonly #places = new Map<number, Set<number>>();
  readonly #queue = new PairQueue();

  constructor(words: readonly Word[]) {
    this.#words = words;
    const changes = new Map<number, number>();
    words.forEach((_, word) => this.#count(word, 1, changes));
    this.#apply(changes);
  }

  /** The most frequent pair, of equals the least; undefined where none occurs twice. */
  mostFrequent(): number | undefined {
    for (let entry = this.#queue.pop(); entry !== undefined; entry = this.#queue.pop()) {
      const count = this.#counts.get(entry.pair) ?? 0;
      if (count === entry.count) return entry.pair;
      this.#enqueue(entry.pair, count);
    }
    return undefined;
  }

  /** Makes one token of every occurrence of a pair, from left to right. */
  merge(pair: number, merged: number): void {
    const changes = new Map<number, number>();
    for (const place of this.#places.get(pair) ?? []) {
      const word = this.#words[place]!;
      const tokens = mergeTokens(word.tokens, pair, merged);
      if (tokens.length === word.tokens.length) continue;
      this.#count(place, -1, changes);
      word.tokens = tokens;
      this.#count(place, 1, changes);
    }
    this.#places.delete(pair);
    this.#apply(changes);
  }

  #count(place: number, sign: 1 | -1, changes: Map<number, number>): void {
    const { tokens, count } = this.#words[place]!;
    for (let at = 0; at + 1 < tokens.length; at += 1) {
      const pair = pairOf(tokens[at]!, tokens[at + 1]!);
      changes.set(pair, (changes.get(pair) ?? 0) + sign * count);
      if (sign > 0) this.#placesOf(pair).add(place);
    }
  }

  #placesOf(pair: number): Set<number> {
    let places = this.#places.get(pair);
    if (places === undefined) this.#places.set(pair, places = new Set());
    return places;
  }

  /** A count that has become smaller keeps its place in the queue until it comes to the front. */
  #apply(changes: ReadonlyMap<number, number>): void {
    for (const [pair, change] of changes) {
      const count = (this.#counts.get(pair) ?? 0) + change;
      this.#counts.set(pair, count);
      if (change > 0) this.#enqueue(pair, count);
    }
  }

  #enqueue(pair: number, count: number): void {
    if (count > 1) this.#queue.push({ pair, count });
  }
}

function mergeTokens(tokens: readonly number[], pair: number, merged: number): number[] {
  const [first, second] = partsOf(pair);
  const result: number[] = [];
  for (let at = 0; at < tokens.length; at += 1) {
    const isPair = tokens[at] === first && tokens[at + 1] === second;
    result.push(isPair ? merged : tokens[at]!);
    if (isPair) at += 1;
  }
  return result;
}
