import { Command, InvalidArgumentError, Option } from 'commander';
import { INPUT_FORMATS } from '@lockstep/text';
import { showProgress } from '../data-inspect/progress.ts';
import { positiveInteger, signalOfProcess } from '../train/run-options.ts';
import { renderSummary } from './render-summary.ts';
import { tokenizeFiles } from './tokenize-files.ts';
import type { TokenizeFlags } from './tokenize-options.ts';

export function tokenizeCommand(): Command {
  return new Command('tokenize')
    .description('Make a token file of text, to train language models on. The input may be larger than the memory.')
    .argument('<inputs...>', 'files, which are read in this order; or asset:NAME')
    .requiredOption('--out <file>', 'the token file')
    .option('--tokenizer <path>', "a tokenizer.json, a folder or GGUF file that holds one, asset:NAME of these, or 'bytes' (the default): a token is the value of a byte")
    .option('--train-bpe <tokens>', 'train a byte-level BPE of so many tokens on the input, and write its tokenizer.json beside the token file', positiveInteger)
    .addOption(new Option('--format <format>', 'what the files are; auto: by their extensions').choices(['auto', ...INPUT_FORMATS]).default('auto'))
    .option('--field <name>', 'what a sample of jsonl or parquet has its text in', 'text')
    .option('--row-length <tokens>', 'rows of so many tokens, each sample whole in one; without it documents follow each other', rowLength)
    .option('--chat', 'samples are conversations, instructions or prompts with completions: only answers count in the loss')
    .option('--chat-template <file>', "a Jinja template in place of the tokenizer's own")
    .option('--labels <name>', 'samples are texts with a class, which is in this field')
    .action(async (inputs: string[], flags: TokenizeFlags) => {
      const progress = showProgress(process.stderr);
      const result = await tokenizeFiles(inputs, flags, progress, signalOfProcess()).finally(progress.stop);
      console.log(renderSummary(result));
    });
}

/** A row of one token has none to predict. */
function rowLength(text: string): number {
  const value = positiveInteger(text);
  if (value < 2) throw new InvalidArgumentError(`got "${text}", expected at least 2`);
  return value;
}
