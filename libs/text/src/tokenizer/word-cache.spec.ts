import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tokenizerDefinition } from '../bpe/tokenizer-definition.ts';
import { trainBpe } from '../bpe/train-bpe.ts';
import { WordCounts } from '../bpe/word-counts.ts';
import { createLibraryTokenizer, type LibraryTokenizer } from './library-tokenizer.ts';
import { createCachedEncoder, encodesWordByWord } from './word-cache.ts';

const words = new WordCounts();
words.add('the cat sat on the mat, the cats sat on the mats: été, 你好 你好 ');
const GPT_2 = tokenizerDefinition(trainBpe(words.counts, 300)) as Record<string, unknown>;
const BYTES = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false };
const splitBy = (Regex: string): unknown => ({ type: 'Sequence', pretokenizers: [{ type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false }, BYTES] });

const DEFINITIONS = {
  'GPT-2': GPT_2,
  SmolLM: { ...GPT_2, pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'Digits', individual_digits: true }, GPT_2['pre_tokenizer']] } },
  'Llama 3': { ...GPT_2, pre_tokenizer: splitBy("(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+") },
};

function encoderOf(library: LibraryTokenizer): (text: string) => readonly number[] {
  return (text) => library.encode(text, { add_special_tokens: false }).ids as number[];
}

const part = fc.oneof(fc.constantFrom('the', ' cats', ' ', '  ', '\n', "'s", '12', ',', '你好', 'été', '<|im_end|>'), fc.string({ unit: 'binary', maxLength: 6 }));
const text = fc.array(part, { maxLength: 30 }).map((parts) => parts.join(''));

describe.each(Object.entries(DEFINITIONS))('words as %s cuts them', (_, definition) => {
  it('give the tokens of the whole text, looked up or not', () => {
    const library = createLibraryTokenizer(definition, {});
    expect(encodesWordByWord(library, definition)).toBe(true);
    const encode = createCachedEncoder(encoderOf(library));
    fc.assert(fc.property(text, (whole) => {
      expect(encode(whole)).toEqual(encoderOf(library)(whole));
    }), { seed: 12, numRuns: 200 });
  });
});

it.each([
  ['a normalizer may change', { ...GPT_2, normalizer: { type: 'NFC' } }],
  ['that get a space before them', { ...GPT_2, pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always' } }],
  ['that are not cut apart', { ...GPT_2, pre_tokenizer: BYTES }],
  ['that a special token takes spaces of', { ...GPT_2, added_tokens: [{ id: 0, content: '<mask>', lstrip: true }] }],
])('words %s are not looked up', (_, definition: Record<string, unknown>) => {
  expect(encodesWordByWord(createLibraryTokenizer(definition, {}), definition)).toBe(false);
});
