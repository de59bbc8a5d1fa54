import { decodeSafetensors, flatFromTensors, type RunDirectory } from '@lockstep/checkpoint';
import { isLanguageModel, LockstepError, messageOf, type LanguageModelConfig, type RunConfig } from '@lockstep/core';
import type { Engine } from '@lockstep/engine';
import { createLanguageModel, type Transformer } from '@lockstep/models';
import { readRunFile } from '../run-files.ts';

/** A run's final language model: what its config builds, with what was trained. */
export async function openTrainedLanguageModel(engine: Engine, run: RunDirectory, config: RunConfig): Promise<Transformer> {
  const { tensors, metadata } = decodeSafetensors(await readRunFile(run, 'model.safetensors'));
  const model = await createLanguageModel(engine, languageModelOf(run, config), { vocabularySize: vocabularyOf(run, metadata['model']), seed: config.seed });
  try {
    model.loadParameters(flatFromTensors(model.layout, tensors));
  } catch (cause) {
    throw new LockstepError('storage', `${run.file('model.safetensors')}: ${messageOf(cause)}`, { cause });
  }
  return model;
}

function languageModelOf(run: RunDirectory, { model }: RunConfig): LanguageModelConfig {
  if (isLanguageModel(model)) return model;
  throw new LockstepError('usage', `run ${run.name} trained ${model.kind}, which predicts no tokens`);
}

function vocabularyOf(run: RunDirectory, description: string | undefined): number {
  const { architecture } = JSON.parse(description ?? '{}') as { architecture?: { vocabularySize: number } };
  if (architecture !== undefined) return architecture.vocabularySize;
  throw new LockstepError('storage', `${run.file('model.safetensors')}: its metadata does not say what model it is`);
}
