import type { ChatMessage, RenderChatOptions } from '../chat/chat-template.ts';

/** Text to tokens and back. */
export interface Tokenizer {
  /** `bytes`: a token is the value of a byte. `json`: a `tokenizer.json`. */
  readonly kind: 'bytes' | 'json';
  /** Of the `tokenizer.json`; null of bytes. */
  readonly sha256: string | null;
  readonly vocabularySize: number;
  /** The token that ends a document. */
  readonly endOfText: number | null;
  /** The token that fills rows up: the tokenizer's own for it, else that which ends a document, else 0. */
  readonly padding: number;
  /** A Jinja template; null: `renderChat` takes ChatML. */
  readonly chatTemplate: string | null;
  /** The tokens of a text. `special` adds what the tokenizer puts around a text of its own accord, such as BERT's [CLS] and [SEP]; false by default. */
  encode(text: string, options?: { readonly special?: boolean }): number[];
  /** The text of tokens, that of special ones too. Bytes that are no UTF-8 become U+FFFD. */
  decode(ids: readonly number[]): string;
  /** Decodes tokens as they come. */
  streamDecoder(): StreamDecoder;
  /** Whether an answer ends with this token. */
  isEndOfTurn(id: number): boolean;
  /** A conversation as the model reads it. Throws `data` where the template does not take it. */
  renderChat(messages: readonly ChatMessage[], options: RenderChatOptions): string;
}

/** The text of tokens that come one by one, for a terminal. What `push` and `end` return together is the text of all. */
export interface StreamDecoder {
  /** What can be printed by now: a character of which bytes are missing is held back. */
  push(id: number): string;
  /** What was held back. */
  end(): string;
}
