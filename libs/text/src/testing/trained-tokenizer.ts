import { tokenizerDefinition } from '../bpe/tokenizer-definition.ts';
import { trainBpe } from '../bpe/train-bpe.ts';
import { WordCounts } from '../bpe/word-counts.ts';
import { openTokenizer, type TokenizerOptions } from '../tokenizer/open-tokenizer.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import type { TemporaryDirectory } from './temporary-directory.ts';

/** A byte-level encoding of 300 tokens, as a `tokenizer.json` of the directory. */
export function trainedTokenizer(directory: TemporaryDirectory, options: TokenizerOptions = {}): Tokenizer {
  const words = new WordCounts();
  words.add('the cat sat on the mat, the cats sat on the mats: été, 你好 你好 😀😀 \n\n the user the assistant ');
  return openTokenizer(directory.write('tokenizer.json', JSON.stringify(tokenizerDefinition(trainBpe(words.counts, 300)))), options);
}
