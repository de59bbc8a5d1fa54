import { createLibraryTokenizer } from '../tokenizer/library-tokenizer.ts';
import { tokenizerDefinition } from './tokenizer-definition.ts';

/** More words than these are not held: those that came once are forgotten then. */
const MAX_WORDS = 1_000_000;

/** How often each pre-token occurs, its bytes written in GPT-2's alphabet. */
export class WordCounts {
  readonly counts = new Map<string, number>();
  readonly #preTokenizer = createLibraryTokenizer(tokenizerDefinition({ vocabulary: [], merges: [] }), {}).pre_tokenizer!;
  readonly #maxWords: number;

  constructor(maxWords = MAX_WORDS) {
    this.#maxWords = maxWords;
  }

  add(text: string): void {
    for (const word of this.#preTokenizer.pre_tokenize_text(text)) this.counts.set(word, (this.counts.get(word) ?? 0) + 1);
    for (let least = 1; this.counts.size > this.#maxWords; least += 1) this.#forget(least);
  }

  #forget(least: number): void {
    for (const [word, count] of this.counts) if (count <= least) this.counts.delete(word);
  }
}
