import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LockstepError } from '@lockstep/core';
import { temporaryDirectory, type TemporaryDirectory } from '../testing/temporary-directory.ts';
import { trainedTokenizer } from '../testing/trained-tokenizer.ts';
import { openTokenizer } from './open-tokenizer.ts';
import type { Tokenizer } from './tokenizer.ts';

const CONFIG = { eos_token: { content: '<|im_end|>', special: true }, pad_token: null, chat_template: '{% for m in messages %}[{{ m.role }}] {{ m.content }}{{ eos_token }}{% endfor %}' };

/** WordPiece: tokens whose spaces depend on their neighbours. */
const WORD_PIECE = {
  version: '1.0', added_tokens: [{ id: 1, content: '[CLS]', special: true }, { id: 2, content: '[SEP]', special: true }],
  normalizer: null, pre_tokenizer: { type: 'BertPreTokenizer' }, decoder: { type: 'WordPiece', prefix: '##', cleanup: false },
  post_processor: { type: 'BertProcessing', sep: ['[SEP]', 2], cls: ['[CLS]', 1] },
  model: { type: 'WordPiece', unk_token: '[UNK]', continuing_subword_prefix: '##', max_input_chars_per_word: 100, vocab: { '[UNK]': 0, '[CLS]': 1, '[SEP]': 2, cat: 3, '##s': 4, sat: 5 } },
};

/** SentencePiece: what is not in the vocabulary is its bytes. */
const BYTE_FALLBACK = {
  version: '1.0', added_tokens: [], normalizer: null, pre_tokenizer: null, post_processor: null,
  decoder: { type: 'Sequence', decoders: [{ type: 'ByteFallback' }, { type: 'Fuse' }] },
  model: { type: 'BPE', unk_token: null, fuse_unk: false, byte_fallback: true, ignore_merges: false, merges: [], vocab: Object.fromEntries(['a', 'b', ...Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`)].map((token, id) => [token, id])) },
};

const text = fc.string({ unit: 'binary', maxLength: 60 });

function decodeOneByOne(tokenizer: Tokenizer, ids: readonly number[]): string[] {
  const decoder = tokenizer.streamDecoder();
  return [...ids.map((id) => decoder.push(id)), decoder.end()];
}

describe.each(['bytes', 'a trained encoding', 'an encoding with bytes as the last resort'])('%s', (kind) => {
  function open(directory: TemporaryDirectory): Tokenizer {
    if (kind === 'bytes') return openTokenizer('bytes');
    return kind === 'a trained encoding' ? trainedTokenizer(directory) : openTokenizer(directory.write('tokenizer.json', JSON.stringify(BYTE_FALLBACK)));
  }

  it('decodes what it has encoded, whole or token by token, and never half a character', () => {
    using directory = temporaryDirectory();
    const tokenizer = open(directory);
    fc.assert(fc.property(text, (original) => {
      const ids = tokenizer.encode(original);
      expect(tokenizer.decode(ids)).toBe(original);
      const pieces = decodeOneByOne(tokenizer, ids);
      expect(pieces.join('')).toBe(original);
      expect(original.includes('\ufffd') || !pieces.join('').includes('\ufffd')).toBe(true);
      expect(Math.max(-1, ...ids)).toBeLessThan(tokenizer.vocabularySize);
    }), { seed: 4, numRuns: 300 });
  });

  it('ends a stream that breaks off inside a character with U+FFFD', () => {
    using directory = temporaryDirectory();
    const tokenizer = open(directory);
    expect(decodeOneByOne(tokenizer, tokenizer.encode('aë').slice(0, 2))).toEqual(['a', '', '\ufffd']);
  });
});

describe('a tokenizer.json', () => {
  it('is found in a folder, with what lies beside it', () => {
    using directory = temporaryDirectory();
    const { sha256 } = trainedTokenizer(directory);
    const file = directory.file('tokenizer.json');
    directory.write('tokenizer_config.json', JSON.stringify(CONFIG));
    const tokenizer = openTokenizer(directory.path);
    expect(tokenizer.sha256).toBe(sha256);
    expect(tokenizer).toMatchObject({ kind: 'json', endOfText: 0, padding: 0, chatTemplate: CONFIG.chat_template });
    expect([0, 1, 2].map((id) => tokenizer.isEndOfTurn(id))).toEqual([true, false, true]);
    expect(tokenizer.encode('<|im_end|>')).toEqual([2]);
    expect(tokenizer.renderChat([{ role: 'user', content: 'hi' }], { addGenerationPrompt: true })).toBe('[user] hi<|im_end|>');
    expect(openTokenizer(file, { chatTemplate: 'x' }).renderChat([], { addGenerationPrompt: true })).toBe('x');
    directory.write('chat_template.jinja', 'newer');
    expect(openTokenizer(file).chatTemplate).toBe('newer');
  });

  it('adds special tokens only where they are asked for', () => {
    using directory = temporaryDirectory();
    const tokenizer = openTokenizer(directory.write('tokenizer.json', JSON.stringify(WORD_PIECE)));
    expect(tokenizer.encode('cats sat')).toEqual([3, 4, 5]);
    expect(tokenizer.encode('cats sat', { special: true })).toEqual([1, 3, 4, 5, 2]);
    expect(decodeOneByOne(tokenizer, [3, 4, 5])).toEqual(['cat', 's', ' sat', '']);
    expect(tokenizer.endOfText).toBeNull();
  });

  it.each([
    ['is no JSON', '{', 'data', /tokenizer.json: not a JSON object/],
    ['is no object', '[1]', 'data', /tokenizer.json: not a JSON object/],
    ['lacks its parts', '{}', 'data', /tokenizer.json: not a tokenizer that can be used/],
  ])('that %s is refused by name', (_, content, code, message) => {
    using directory = temporaryDirectory();
    const file = directory.write('tokenizer.json', content);
    expect(() => openTokenizer(file)).toThrow(message);
    expect(() => openTokenizer(file)).toThrow(LockstepError);
    expect(() => openTokenizer(file)).toThrow(expect.objectContaining({ code }) as Error);
  });

  it('that is missing is named', () => {
    using directory = temporaryDirectory();
    expect(() => openTokenizer(directory.path)).toThrow(expect.objectContaining({ code: 'not-found', message: expect.stringContaining('tokenizer.json: no such file') as string }) as Error);
  });
});

describe('a conversation', () => {
  it('is ChatML where there is no template', () => {
    const messages = [{ role: 'user', content: 'hi\n' }, { role: 'assistant', content: 'yo' }];
    const { renderChat } = openTokenizer('bytes');
    expect(renderChat(messages, { addGenerationPrompt: false })).toBe('<|im_start|>user\nhi\n<|im_end|>\n<|im_start|>assistant\nyo<|im_end|>\n');
    expect(renderChat(messages.slice(0, 1), { addGenerationPrompt: true })).toBe('<|im_start|>user\nhi\n<|im_end|>\n<|im_start|>assistant\n');
  });

  it.each(['{% if %}', "{{ raise_exception('no system message') }}"])('that the template %s does not take is an error', (chatTemplate) => {
    const { renderChat } = openTokenizer('bytes', { chatTemplate });
    expect(() => renderChat([], { addGenerationPrompt: false })).toThrow(/the chat template does not take this conversation: /);
  });
});
