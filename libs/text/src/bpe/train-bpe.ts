import { BYTE_ALPHABET } from './byte-alphabet.ts';
import { PairCounts, partsOf } from './pair-counts.ts';

/** What a byte-pair encoding has learned. */
export interface BytePairs {
  /** The token of each number. */
  readonly vocabulary: readonly string[];
  /** Pairs of tokens to be merged, the first first. */
  readonly merges: readonly (readonly [string, string])[];
}

/** Special tokens of a tokenizer that is trained here: the end of a document, and ChatML's, so that it can be tuned to chat later. */
export const SPECIAL_TOKENS = ['<|endoftext|>', '<|im_start|>', '<|im_end|>'] as const;

export const MIN_VOCABULARY = SPECIAL_TOKENS.length + BYTE_ALPHABET.length;

/**
 * Learns a byte-pair encoding (Sennrich et al. 2016) of at most `vocabularySize` tokens: the special ones, the bytes, then the most frequent pair
 * of neighbours again and again, until none occurs twice. A pure function of the counts: of equally frequent pairs the one whose tokens came
 * first wins. The numbers and merges are those that the `BpeTrainer` of Hugging Face's tokenizers gives with `min_frequency=2`.
 *
 * `words`: pre-tokens, their bytes written in the alphabet, with how often they occur.
 */
export function trainBpe(words: ReadonlyMap<string, number>, vocabularySize: number): BytePairs {
  const vocabulary = [...SPECIAL_TOKENS, ...BYTE_ALPHABET];
  const numberOf = new Map(vocabulary.map((token, number) => [token, number]));
  const merges: [string, string][] = [];
  const pairs = new PairCounts([...words].map(([word, count]) => ({ tokens: Array.from(word, (byte) => numberOf.get(byte)!), count })));
  while (vocabulary.length < vocabularySize) {
    const pair = pairs.mostFrequent();
    if (pair === undefined) break;
    const [first, second] = partsOf(pair).map((number) => vocabulary[number]!) as [string, string];
    merges.push([first, second]);
    pairs.merge(pair, numberTheToken(first + second));
  }
  return { vocabulary, merges };

  /** Different merges may give the same token, which has one number. */
  function numberTheToken(token: string): number {
    const known = numberOf.get(token);
    if (known !== undefined) return known;
    numberOf.set(token, vocabulary.length);
    return vocabulary.push(token) - 1;
  }
}
