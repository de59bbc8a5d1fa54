import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PairQueue, type CountedPair } from './pair-queue.ts';
import { MIN_VOCABULARY, SPECIAL_TOKENS, trainBpe } from './train-bpe.ts';
import { WordCounts } from './word-counts.ts';

const TEXT = 'the cat sat on the mat. the cats sat; the mats matted! aaaa aaaaa aa 1212 12 été étés\n\n  the hat, hats: that cat thatched\n';

/** Of this text, by tokenizers 0.23.3 for Python with `vocab_size=272, min_frequency=2`. */
const HUGGING_FACE_MERGES = ['a t', 'a a', 't h', 'Ġ th', 'Ã ©', 'Ġth e', '1 2', 'c at', 'm at', 'Ġ aa', 'Ġ cat', 'Ġ mat', 'e d'];

function countsOf(text: string): ReadonlyMap<string, number> {
  const words = new WordCounts();
  words.add(text);
  return words.counts;
}

/** The textbook's loop: count all pairs, merge the most frequent everywhere. */
function trainSlowly(counts: ReadonlyMap<string, number>, vocabulary: string[], size: number): [string, string][] {
  let words = [...counts].map(([word, count]) => ({ tokens: Array.from(word), count }));
  const merges: [string, string][] = [];
  while (vocabulary.length < size) {
    const pairs = new Map<string, { pair: [string, string]; count: number }>();
    for (const { tokens, count } of words) {
      for (let at = 0; at + 1 < tokens.length; at += 1) {
        const pair: [string, string] = [tokens[at]!, tokens[at + 1]!];
        pairs.set(pair.join(' '), { pair, count: (pairs.get(pair.join(' '))?.count ?? 0) + count });
      }
    }
    const rank = (token: string): number => vocabulary.indexOf(token);
    const [best] = [...pairs.values()].toSorted((a, b) => b.count - a.count || rank(a.pair[0]) - rank(b.pair[0]) || rank(a.pair[1]) - rank(b.pair[1]));
    if (best === undefined || best.count < 2) break;
    merges.push(best.pair);
    if (!vocabulary.includes(best.pair.join(''))) vocabulary.push(best.pair.join(''));
    words = words.map(({ tokens, count }) => ({ count, tokens: tokens.reduce<{ done: string[]; skip: boolean }>(({ done, skip }, token, at) => {
      if (skip) return { done, skip: false };
      const isPair = token === best.pair[0] && tokens[at + 1] === best.pair[1];
      return { done: [...done, isPair ? best.pair.join('') : token], skip: isPair };
    }, { done: [], skip: false }).done }));
  }
  return merges;
}

describe('a byte-pair encoding', () => {
  it("learns the merges of Hugging Face's BpeTrainer", () => {
    const { merges, vocabulary } = trainBpe(countsOf(TEXT), 272);
    expect(merges.map((merge) => merge.join(' '))).toEqual(HUGGING_FACE_MERGES);
    expect(vocabulary.slice(0, 4)).toEqual([...SPECIAL_TOKENS, '!']);
    expect(vocabulary).toHaveLength(272);
  });

  it('is that of counting all pairs before each merge', () => {
    const words = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c', ' ', 'é'), maxLength: 12 }), { maxLength: 12 });
    fc.assert(fc.property(words, (parts) => {
      const counts = countsOf(parts.join(' '));
      const { vocabulary } = trainBpe(new Map(), MIN_VOCABULARY);
      expect(trainBpe(counts, MIN_VOCABULARY + 20).merges).toEqual(trainSlowly(counts, [...vocabulary], MIN_VOCABULARY + 20));
    }), { seed: 5, numRuns: 60 });
  });

  it('ends early where no pair occurs twice', () => {
    expect(trainBpe(countsOf('abc'), 1000).vocabulary).toHaveLength(MIN_VOCABULARY);
  });
});

it('words that came once are forgotten where there are too many', () => {
  const words = new WordCounts(3);
  words.add('a a a b');
  expect(words.counts.size).toBe(3);
  words.add(' c');
  expect([...words.counts]).toEqual([['Ġa', 2]]);
});

it('the queue gives pairs by count, then by number, whatever their order was', () => {
  const entries = fc.array(fc.record({ pair: fc.nat(50), count: fc.nat(5) }), { maxLength: 60 });
  fc.assert(fc.property(entries, (pairs) => {
    const queue = new PairQueue();
    pairs.forEach((entry) => queue.push(entry));
    const popped = Array.from(pairs, () => queue.pop()) as CountedPair[];
    expect(popped).toEqual(pairs.toSorted((a, b) => b.count - a.count || a.pair - b.pair));
    expect(queue.pop()).toBeUndefined();
  }), { seed: 2 });
});
