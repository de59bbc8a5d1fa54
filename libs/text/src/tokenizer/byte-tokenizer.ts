import { createChatRenderer } from '../chat/chat-template.ts';
import type { Tokenizer } from './tokenizer.ts';

const END_OF_TEXT = 256;

/** A token is the value of a byte of UTF-8; 256 ends a document, has no text, and ends an answer too. */
export function createByteTokenizer(chatTemplate: string | null = null): Tokenizer {
  return {
    kind: 'bytes', sha256: null, vocabularySize: 257, endOfText: END_OF_TEXT, padding: END_OF_TEXT, chatTemplate,
    encode: (text) => [...Buffer.from(text)],
    decode: (ids) => new TextDecoder('utf-8', DECODING).decode(bytesOfTokens(ids)),
    isEndOfTurn: (id) => id === END_OF_TEXT,
    renderChat: createChatRenderer(chatTemplate, {}),
    streamDecoder() {
      const decoder = new TextDecoder('utf-8', DECODING);
      return { push: (id) => decoder.decode(bytesOfTokens([id]), { stream: true }), end: () => decoder.decode() };
    },
  };
}

const DECODING = { ignoreBOM: true };

const bytesOfTokens = (ids: readonly number[]): Uint8Array => Uint8Array.from(ids.filter((id) => id < END_OF_TEXT));
