import { LockstepError } from '@lockstep/core';
import { createChatRenderer } from '../chat/chat-template.ts';
import { createLibraryTokenizer } from './library-tokenizer.ts';
import { chooseEndOfText, ENDS_OF_TURN, type TokenizerConfig } from './tokenizer-config.ts';
import type { Tokenizer } from './tokenizer.ts';
import { createWindowDecoder } from './window-decoder.ts';
import { createCachedEncoder, encodesWordByWord } from './word-cache.ts';

export interface TokenizerFiles {
  /** Of the `tokenizer.json`, for messages. */
  readonly path: string;
  /** The parsed `tokenizer.json`. */
  readonly definition: Readonly<Record<string, unknown>>;
  readonly sha256: string;
  readonly config: TokenizerConfig;
  readonly chatTemplate: string | null;
}

/** A tokenizer by Hugging Face's library. Throws its errors where the definition is none. */
export function createJsonTokenizer({ path, definition, sha256, config, chatTemplate }: TokenizerFiles): Tokenizer {
  const library = createLibraryTokenizer(definition, config);
  const idOf = (token: string | null): number | null => (token === null ? null : library.token_to_id(token) ?? null);
  const endOfTextName = chooseEndOfText(config, (token) => idOf(token) !== null);
  const endOfText = idOf(endOfTextName);
  const endsOfTurn = new Set([endOfText, ...[config.eos_token, ...ENDS_OF_TURN].map(idOf)]);
  const decode = (ids: readonly number[]): string => (ids.length === 0 ? '' : library.decode(ids, { clean_up_tokenization_spaces: false }));
  const encode = (text: string, special: boolean): number[] => requireTokens(path, text, library.encode(text, { add_special_tokens: special }).ids);
  const encodePlain = encodesWordByWord(library, definition) ? createCachedEncoder((text) => encode(text, false)) : (text: string) => encode(text, false);
  return {
    kind: 'json', sha256, endOfText, chatTemplate, decode,
    vocabularySize: library.model.vocab.length,
    padding: idOf(config.pad_token) ?? endOfText ?? 0,
    encode: (text, { special = false } = {}) => (special ? encode(text, true) : encodePlain(text)),
    isEndOfTurn: (id) => endsOfTurn.has(id),
    streamDecoder: () => createWindowDecoder(decode),
    renderChat: createChatRenderer(chatTemplate, specialTokensOf(config, endOfTextName)),
  };
}

/** By the names that templates know them by. */
function specialTokensOf({ bos_token, eos_token, pad_token, unk_token }: TokenizerConfig, endOfText: string | null): Record<string, string> {
  return { bos_token: bos_token ?? '', eos_token: eos_token ?? endOfText ?? '', pad_token: pad_token ?? '', unk_token: unk_token ?? '' };
}

/** What a vocabulary without a token for the unknown cannot say comes as undefined. */
function requireTokens(path: string, text: string, ids: readonly (number | undefined)[]): number[] {
  if (!ids.includes(undefined)) return ids as number[];
  throw new LockstepError('data', `${path}: has no token for a part of "${text.slice(0, 40)}", nor one for what is unknown`);
}
