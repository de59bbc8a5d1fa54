import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openRunDirectory, type RunDirectory } from '@lockstep/checkpoint';
import { LockstepError, numericsSchema, type NumericsConfig, type RunConfig } from '@lockstep/core';
import type { Engine } from '@lockstep/engine';
import { createLanguageModel, type Transformer } from '@lockstep/models';
import { openPretrained, resolveAsset } from '@lockstep/pretrained';
import { openTokenFile } from '@lockstep/text';
import { readRunConfig } from '../run-files.ts';
import { tokenizerPathOfModel } from './model-tokenizer.ts';
import { openTrainedLanguageModel } from './trained-language-model.ts';

/** A language model that a person has named, before it is loaded. */
export interface NamedLanguageModel {
  readonly numerics: NumericsConfig;
  /** What `openModelTokenizer` opens. @throws LockstepError `not-found` where none is known. */
  tokenizerPath(): Promise<string>;
  /** Where the model's weights besides its adapters come from; null of one that was trained from scratch. */
  readonly basePath: string | null;
  open(engine: Engine): Promise<Transformer>;
}

/**
 * A run by its name or path, or a pretrained model: a folder, a GGUF file or `asset:NAME`.
 * @throws LockstepError `not-found` where it is neither.
 */
export async function findLanguageModel(runsDirectory: string, name: string): Promise<NamedLanguageModel> {
  const run = name.startsWith('asset:') || name.endsWith('.gguf') ? null : await openRunDirectory(runsDirectory, name).catch(() => null);
  return run !== null && existsSync(run.file('receipts.jsonl')) ? modelOfRun(run, await readRunConfig(run)) : pretrainedModel(name);
}

function modelOfRun(run: RunDirectory, config: RunConfig): NamedLanguageModel {
  const { model, data: { source } } = config;
  const basePath = model.kind === 'pretrained' ? model.path : null;
  return {
    numerics: config.numerics, basePath,
    tokenizerPath: async () => (basePath === null ? tokenizerBeside(source.kind === 'tokens' ? source.file : '') : tokenizerPathOfModel(basePath)),
    open: (engine) => openTrainedLanguageModel(engine, run, config),
  };
}

/** That of the text which a model was trained on from scratch. */
function tokenizerBeside(tokenFile: string): string {
  using file = openTokenFile(tokenFile);
  if (file.header.tokenizer.kind === 'bytes') return 'bytes';
  const beside = join(dirname(tokenFile), 'tokenizer.json');
  if (existsSync(beside)) return beside;
  throw new LockstepError('not-found', `no tokenizer.json beside ${tokenFile}`, { hint: 'name it with --tokenizer PATH' });
}

async function pretrainedModel(path: string): Promise<NamedLanguageModel> {
  const resolved = await resolveAsset(path);
  const { kind, architecture } = await openPretrained(resolved);
  if (kind !== 'decoder') throw new LockstepError('usage', `${path} holds an encoder, which predicts no next token`);
  return {
    numerics: numericsSchema.parse({}), basePath: path,
    tokenizerPath: () => tokenizerPathOfModel(resolved),
    open: (engine) => createLanguageModel(engine, { kind: 'pretrained', path: resolved, lora: null, trains: [], dropout: 0, recompute: false }, { vocabularySize: architecture.vocabularySize, seed: 0 }),
  };
}
