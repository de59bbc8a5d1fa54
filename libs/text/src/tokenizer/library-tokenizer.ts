import { Tokenizer } from '@huggingface/tokenizers';

/** What is used of Hugging Face's library. Its own declarations import files without their endings, so that TypeScript sees nothing of them here. */
export interface LibraryTokenizer {
  readonly model: { readonly vocab: readonly string[] };
  readonly pre_tokenizer: { pre_tokenize_text(text: string): string[] } | null;
  encode(text: string, options: { readonly add_special_tokens: boolean }): { readonly ids: readonly (number | undefined)[] };
  decode(ids: readonly number[], options: { readonly clean_up_tokenization_spaces: boolean }): string;
  token_to_id(token: string): number | undefined;
}

/** Throws the library's errors where the definition, a parsed `tokenizer.json`, is none. */
export function createLibraryTokenizer(definition: object, config: object): LibraryTokenizer {
  return new Tokenizer(definition, config) as LibraryTokenizer;
}
