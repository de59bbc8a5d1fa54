import type { LibraryTokenizer } from './library-tokenizer.ts';

type Encode = (text: string) => readonly number[];

/** Before a single space between others, which nearly every encoding of bytes cuts at: the space belongs to what follows. */
const BETWEEN_WORDS = /(?<=\S)(?= \S)/u;
const MAX_WORDS = 100_000;
/** Longer ones hardly come again. */
const MAX_LENGTH = 64;

/** Whether a text's tokens are those of its words, one after the other. `definition` is the tokenizer's. */
export function encodesWordByWord(library: LibraryTokenizer, definition: Readonly<Record<string, unknown>>): boolean {
  const addedTokens = (definition['added_tokens'] ?? []) as readonly { content: string; lstrip?: boolean; rstrip?: boolean }[];
  if (definition['normalizer'] !== null || addedTokens.some(({ content, lstrip, rstrip }) => lstrip || rstrip || BETWEEN_WORDS.test(content))) return false;
  return library.pre_tokenizer?.pre_tokenize_text('ab cd, ef').join('|') === 'ab|Ġcd|,|Ġef';
}

/** The same as `encode`, of a tokenizer that encodes word by word, but a word that has come before is looked up. */
export function createCachedEncoder(encode: Encode): (text: string) => number[] {
  const known = new Map<string, readonly number[]>();
  return (text) => {
    const tokens: number[] = [];
    for (const word of text.split(BETWEEN_WORDS)) {
      for (const token of known.get(word) ?? encodeNew(word)) tokens.push(token);
    }
    return tokens;
  };

  function encodeNew(word: string): readonly number[] {
    const tokens = encode(word);
    if (known.size >= MAX_WORDS) known.clear();
    if (word.length <= MAX_LENGTH) known.set(word, tokens);
    return tokens;
  }
}
