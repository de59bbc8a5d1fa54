import { SPECIAL_TOKENS, type BytePairs } from './train-bpe.ts';

/** As GPT-2 cuts text before it is encoded: words with the space before them, numbers, signs, spaces. */
const PRE_TOKENIZER = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true } as const;
const DECODER = { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true } as const;

/** The `tokenizer.json` of a byte-level encoding, as Hugging Face's tokenizers (0.20 and later) write and read it. */
export function tokenizerDefinition({ vocabulary, merges }: BytePairs): object {
  return {
    version: '1.0', truncation: null, padding: null,
    added_tokens: SPECIAL_TOKENS.map((content, id) => ({ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true })),
    normalizer: null, pre_tokenizer: PRE_TOKENIZER, post_processor: null, decoder: DECODER,
    model: {
      type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null, fuse_unk: false, byte_fallback: false, ignore_merges: false,
      vocab: Object.fromEntries(vocabulary.map((token, number) => [token, number])), merges,
    },
  };
}
