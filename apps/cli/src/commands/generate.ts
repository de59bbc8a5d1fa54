import { text as textOf } from 'node:stream/consumers';
import { LockstepError } from '@lockstep/core';
import type { Tokenizer } from '@lockstep/text';
import { Command, InvalidArgumentError } from 'commander';
import { generateTokens, type Stop } from '../language/generate-tokens.ts';
import { openModelTokenizer } from '../language/model-tokenizer.ts';
import { findLanguageModel } from '../language/open-language-model.ts';
import { positiveInteger, signalOfProcess } from '../train/run-options.ts';
import { useEngine } from '../use-engine.ts';

interface GenerateOptions {
  readonly prompt?: string;
  readonly chat?: true;
  readonly system?: string;
  readonly maxTokens: number;
  readonly temperature: number;
  readonly topK?: number;
  readonly topP: number;
  readonly seed: number;
  readonly tokenizer?: string;
  readonly runsDir: string;
  readonly json?: true;
}

export function generateCommand(): Command {
  return new Command('generate')
    .description('Let a language model go on with a text, token by token.')
    .argument('<model>', "a run's name or path, a folder with config.json and safetensors, a GGUF file, or asset:NAME")
    .option('--prompt <text>', 'what to go on with (default: standard input)')
    .option('--chat', "take the prompt for a user's message and let the model answer, by its chat template")
    .option('--system <text>', 'the system message of --chat')
    .option('--max-tokens <count>', 'tokens at most', positiveInteger, 200)
    .option('--temperature <value>', 'divides the logits; 0 takes the most probable token always', numberFrom(0), 0.8)
    .option('--top-k <count>', 'only so many of the most probable tokens', positiveInteger)
    .option('--top-p <share>', 'only the most probable tokens that together have this probability', numberFrom(0, 1), 1)
    .option('--seed <number>', 'the same seed gives the same text', wholeNumber, 42)
    .option('--tokenizer <path>', "in place of the model's own: tokenizer.json, its folder, a GGUF file or bytes")
    .option('--runs-dir <dir>', 'where runs are', 'runs')
    .option('--json', 'print one JSON object at the end')
    .action(async (name: string, options: GenerateOptions) => generate(name, options));
}

async function generate(name: string, options: GenerateOptions): Promise<void> {
  const named = await findLanguageModel(options.runsDir, name);
  const tokenizer = await openModelTokenizer(options.tokenizer ?? await named.tokenizerPath());
  const signal = signalOfProcess();
  await useEngine(named.numerics, async (engine) => {
    const prompt = options.prompt ?? await textOf(process.stdin);
    const tokens = tokenizer.encode(options.chat === true ? chatOf(tokenizer, prompt, options.system) : prompt);
    if (tokens.length === 0) throw new LockstepError('usage', 'the prompt is empty, expected something to go on with', { hint: 'give it with --prompt TEXT' });
    const model = await named.open(engine);
    const generated = generateTokens(model, tokenizer, tokens, { ...options, topK: options.topK ?? null, signal });
    const text = options.json === true ? printObject(tokenizer, prompt, generated) : printAsItComes(tokenizer, options.chat === true ? '' : prompt, generated);
    await text.finally(() => model.dispose());
  });
}

function chatOf(tokenizer: Tokenizer, prompt: string, system: string | undefined): string {
  const messages = [...(system === undefined ? [] : [{ role: 'system', content: system }]), { role: 'user', content: prompt }];
  return tokenizer.renderChat(messages, { addGenerationPrompt: true });
}

async function printAsItComes(tokenizer: Tokenizer, prompt: string, generated: AsyncGenerator<number, Stop>): Promise<void> {
  const decoder = tokenizer.streamDecoder();
  process.stdout.write(prompt);
  for await (const token of generated) process.stdout.write(decoder.push(token));
  process.stdout.write(`${decoder.end()}\n`);
}

async function printObject(tokenizer: Tokenizer, prompt: string, generated: AsyncGenerator<number, Stop>): Promise<void> {
  const startMs = performance.now();
  const tokens: number[] = [];
  for (;;) {
    const { done, value } = await generated.next();
    if (done !== true) tokens.push(value);
    else return void process.stdout.write(`${JSON.stringify({ prompt, text: tokenizer.decode(tokens), tokens, stop: value, tokensPerSecond: tokens.length / ((performance.now() - startMs) / 1000) })}\n`);
  }
}

function numberFrom(least: number, greatest = Infinity): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && value >= least && value <= greatest) return value;
    throw new InvalidArgumentError(`expected a number from ${least}${greatest === Infinity ? '' : ` to ${greatest}`}`);
  };
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new InvalidArgumentError('expected a whole number from 0');
}
