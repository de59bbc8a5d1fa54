import { existsSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { LockstepError } from '@lockstep/core';
import { z } from 'zod';
import { arrangeTensors } from './arranged-tensors.ts';
import { decoderTensors } from './decoder-tensors.ts';
import { encoderTensors } from './encoder-tensors.ts';
import { describeBert } from './families/bert.ts';
import type { ModelDescription } from './families/family.ts';
import { describeGgufLlama } from './families/gguf-llama.ts';
import { describeGpt2 } from './families/gpt2.ts';
import { describeLlama, describeMistral } from './families/llama.ts';
import { sha256OfFile } from './file-digest.ts';
import type { FileTensor } from './formats/file-tensor.ts';
import { openGguf } from './formats/gguf-file.ts';
import { readJsonFile } from './formats/json-file.ts';
import { openSafetensors } from './formats/safetensors-file.ts';
import type { PretrainedModel } from './pretrained-model.ts';

/**
 * Opens a Hugging Face folder (`config.json` with `model.safetensors`, or with `model.safetensors.index.json` and its parts) or a `.gguf` file;
 * of the tensors nothing is read but what the headers say.
 * @throws LockstepError `not-found`; `data` naming the fields that Lockstep does not compute with, or all tensors that are missing, extra or of another shape.
 */
export async function openPretrained(path: string): Promise<PretrainedModel> {
  if (!existsSync(path)) throw new LockstepError('not-found', `there is no model at ${path}`, { hint: 'Name a Hugging Face folder (config.json, model.safetensors) or a .gguf file.' });
  if (statSync(path).isDirectory()) return openFolder(path);
  const file = await openGguf(path);
  return modelOf(path, describeGgufLlama(file), file.tensors, [path], null);
}

async function openFolder(folder: string): Promise<PretrainedModel> {
  const files = await weightFiles(folder);
  const tensors = files.flatMap(openSafetensors);
  const tokenizer = join(folder, 'tokenizer.json');
  return modelOf(folder, await describeFolder(join(folder, 'config.json'), tensors), tensors, files, existsSync(tokenizer) ? tokenizer : null);
}

const indexSchema = z.looseObject({
  weight_map: z.record(z.string(), z.string().refine((name) => name === basename(name), { message: 'expected a name without a folder' })),
});

async function weightFiles(folder: string): Promise<readonly string[]> {
  const index = join(folder, 'model.safetensors.index.json');
  if (!existsSync(index)) return [join(folder, 'model.safetensors')];
  const { weight_map: parts } = await readJsonFile(index, indexSchema);
  return [...new Set(Object.values(parts))].toSorted().map((name) => join(folder, name));
}

const familySchema = z.looseObject({ model_type: z.enum(['llama', 'mistral', 'gpt2', 'bert']) });

async function describeFolder(path: string, tensors: readonly FileTensor[]): Promise<ModelDescription> {
  const config = await readJsonFile(path, familySchema);
  switch (config.model_type) {
    case 'llama': return describeLlama(path, config);
    case 'mistral': return describeMistral(path, config);
    case 'gpt2': return describeGpt2(path, config);
    case 'bert': return describeBert(path, config, tensors);
  }
}

function modelOf(path: string, description: ModelDescription, stored: readonly FileTensor[], files: readonly string[], tokenizerPath: string | null): PretrainedModel {
  const { kind, architecture, layout } = description;
  const expected = kind === 'decoder' ? decoderTensors(architecture) : encoderTensors(architecture);
  const rest = { tensors: arrangeTensors(path, expected, stored, layout), tokenizerPath, source: { files: files.map((file) => ({ path: file, sha256: () => sha256OfFile(file) })) } };
  return kind === 'decoder' ? { kind, architecture, ...rest } : { kind, architecture, ...rest };
}
