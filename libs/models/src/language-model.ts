import { architectureOf, LockstepError, matchesPattern, type LanguageModelConfig } from '@lockstep/core';
import type { Engine } from '@lockstep/engine';
import { openPretrained, resolveAsset } from '@lockstep/pretrained';
import { createTransformer, type Transformer, type TransformerOptions } from './transformer/transformer.ts';

export interface LanguageModelOptions {
  /** Of the tokens that it is trained on. */
  readonly vocabularySize: number;
  readonly seed: number;
}

/**
 * The language model of a config, its initial values a pure function of the seed and the files that it names.
 * @throws LockstepError `config` where it is no model for these tokens, `data` or `not-found` where its files cannot be read.
 */
export async function createLanguageModel(engine: Engine, config: LanguageModelConfig, options: LanguageModelOptions): Promise<Transformer> {
  return createTransformer(engine, config.kind === 'transformer' ? fromSeed(config, options) : await fromFiles(config, options));
}

function fromSeed(config: Extract<LanguageModelConfig, { kind: 'transformer' }>, { vocabularySize, seed }: LanguageModelOptions): TransformerOptions {
  const { dropout, recompute } = config;
  return { architecture: architectureOf(config, vocabularySize), dropout, recompute, initial: { kind: 'seed', seed }, lora: null, trains: () => true };
}

async function fromFiles({ path, lora, trains, dropout, recompute }: Extract<LanguageModelConfig, { kind: 'pretrained' }>, { vocabularySize, seed }: LanguageModelOptions): Promise<TransformerOptions> {
  const pretrained = await openPretrained(await resolveAsset(path));
  if (pretrained.kind !== 'decoder') throw new LockstepError('config', `model.path: ${path} holds an encoder, which predicts no next token`);
  const { architecture, tensors } = pretrained;
  if (vocabularySize > architecture.vocabularySize) {
    throw new LockstepError('config', `the tokens are of a vocabulary of ${vocabularySize}, the model ${path} has ${architecture.vocabularySize}`, { hint: "tokenize the text with the model's own tokenizer" });
  }
  const useless = trains?.find((pattern) => !tensors.tensors.some(({ name }) => matchesPattern(pattern, name)));
  if (useless !== undefined) throw new LockstepError('config', `model.trains: ${useless} fits no tensor of ${path}`, { hint: `they are ${tensors.tensors.slice(0, 6).map(({ name }) => name).join(', ')}, …` });
  return { architecture, dropout, recompute, initial: { kind: 'tensors', tensors, seed }, lora, trains: (name) => (trains === null ? lora === null : trains.some((pattern) => matchesPattern(pattern, name))) };
}
