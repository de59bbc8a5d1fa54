import { z } from 'zod';
import { checkFields } from '../formats/checked-fields.ts';
import type { GgufFile } from '../formats/gguf-file.ts';

/** `tokenizer.ggml.token_type` (llama.cpp's llama_token_type). */
const CONTROL = 3;
const USER_DEFINED = 4;

const tokenId = z.int().min(0);
const metadataSchema = z.looseObject({
  'tokenizer.ggml.model': z.literal('gpt2'),
  'tokenizer.ggml.pre': z.enum(['gpt-2', 'smollm']),
  'tokenizer.ggml.tokens': z.array(z.string()).min(1),
  'tokenizer.ggml.token_type': z.array(z.int()),
  'tokenizer.ggml.merges': z.array(z.string().regex(/^[^ ]+ [^ ]+$/, { message: 'expected two tokens with a space between' })),
  'tokenizer.ggml.bos_token_id': tokenId.optional(),
  'tokenizer.ggml.eos_token_id': tokenId.optional(),
  'tokenizer.ggml.unknown_token_id': tokenId.optional(),
  'tokenizer.ggml.padding_token_id': tokenId.optional(),
  'tokenizer.ggml.add_bos_token': z.literal(false).optional(),
  'tokenizer.ggml.add_eos_token': z.literal(false).optional(),
  'tokenizer.ggml.add_space_prefix': z.literal(false).optional(),
  'tokenizer.chat_template': z.string().optional(),
});
type TokenizerMetadata = z.output<typeof metadataSchema>;

const consistent = metadataSchema
  .refine(({ 'tokenizer.ggml.tokens': tokens }) => new Set(tokens).size === tokens.length, { path: ['tokenizer.ggml.tokens'], message: 'expected each token once' })
  .refine((keys) => keys['tokenizer.ggml.token_type'].length === keys['tokenizer.ggml.tokens'].length, { path: ['tokenizer.ggml.token_type'], message: 'expected one for each token' })
  .refine(hasTokensOfMerges, { path: ['tokenizer.ggml.merges'], message: 'expected merges of tokens, and into tokens, of the vocabulary' });

function hasTokensOfMerges({ 'tokenizer.ggml.tokens': tokens, 'tokenizer.ggml.merges': merges }: TokenizerMetadata): boolean {
  const vocabulary = new Set(tokens);
  return merges.every((merge) => vocabulary.has(merge.replace(' ', '')) && merge.split(' ').every((part) => vocabulary.has(part)));
}

/** The contents of `tokenizer.json` and `tokenizer_config.json` as Hugging Face's tokenizers read them. */
export interface TokenizerFiles {
  readonly tokenizer: object;
  readonly config: object;
}

/**
 * The byte-level BPE tokenizer of a GGUF file's metadata.
 * @throws LockstepError `data` naming each key that is missing or whose value is not supported.
 */
export function readGgufTokenizer({ path, metadata }: GgufFile): TokenizerFiles {
  const keys = checkFields(path, metadata, consistent);
  const tokens = keys['tokenizer.ggml.tokens'];
  return {
    tokenizer: {
      version: '1.0', truncation: null, padding: null, added_tokens: addedTokens(keys), normalizer: null,
      pre_tokenizer: preTokenizer(keys['tokenizer.ggml.pre']), post_processor: null, decoder: BYTE_LEVEL,
      model: {
        type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: '', end_of_word_suffix: '', fuse_unk: false, byte_fallback: false, ignore_merges: false,
        vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
        merges: keys['tokenizer.ggml.merges'].map((merge) => merge.split(' ')),
      },
    },
    config: configOf(keys),
  };
}

const BYTE_LEVEL = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };

/** SmolLM's splits digits from each other before GPT-2's pattern does the rest (llama.cpp, src/llama-vocab.cpp, LLAMA_VOCAB_PRE_TYPE_SMOLLM). */
function preTokenizer(name: TokenizerMetadata['tokenizer.ggml.pre']): object {
  return name === 'gpt-2' ? BYTE_LEVEL : { type: 'Sequence', pretokenizers: [{ type: 'Digits', individual_digits: true }, BYTE_LEVEL] };
}

function addedTokens(keys: TokenizerMetadata): object[] {
  const types = keys['tokenizer.ggml.token_type'];
  return keys['tokenizer.ggml.tokens'].flatMap((content, id) => {
    if (types[id] !== CONTROL && types[id] !== USER_DEFINED) return [];
    return [{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: types[id] === CONTROL }];
  });
}

function configOf(keys: TokenizerMetadata): object {
  const token = (id: number | undefined): string | undefined => (id === undefined ? undefined : keys['tokenizer.ggml.tokens'][id]);
  return {
    tokenizer_class: 'PreTrainedTokenizerFast', clean_up_tokenization_spaces: false,
    bos_token: token(keys['tokenizer.ggml.bos_token_id']), eos_token: token(keys['tokenizer.ggml.eos_token_id']),
    unk_token: token(keys['tokenizer.ggml.unknown_token_id']), pad_token: token(keys['tokenizer.ggml.padding_token_id']),
    chat_template: keys['tokenizer.chat_template'],
  };
}
