import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LockstepError, type TransformerArchitecture } from '@lockstep/core';
import { decoderTensors } from '../decoder-tensors.ts';
import type { ElementType } from '../formats/element-types.ts';
import { renderShape } from '../formats/file-tensor.ts';
import { writeSafetensors, type WritableTensor } from '../formats/safetensors-writer.ts';
import { makeDirectory } from '../new-directory.ts';
import { exportedFamily } from './exported-family.ts';
import { gpt2Tensors } from './gpt2-tensors.ts';
import { huggingFaceConfig, type ExportType } from './hugging-face-config.ts';
import { copyTokenizer, specialTokenIds } from './tokenizer-files.ts';

export interface DecoderExport {
  readonly architecture: TransformerArchitecture;
  /** All of `decoderTensors(architecture)`, in any order; the values of one at a time are asked for (of three where GPT-2 has them in one). */
  readonly tensors: Iterable<WritableTensor>;
  /** A `tokenizer.json` whose folder's other tokenizer files are taken along; null for none. */
  readonly tokenizerPath: string | null;
  readonly dtype: ExportType;
}

const ELEMENT_TYPES: Readonly<Record<ExportType, ElementType>> = { float32: 'F32', float16: 'F16', bfloat16: 'BF16' };

/**
 * Writes a decoder as a new folder that transformers loads: `config.json`, `model.safetensors` and the tokenizer's files; whole or not at all.
 * @throws LockstepError `config` if the architecture is neither Llama's nor GPT-2's; `usage` if the folder is there already; `storage`.
 */
export async function writeHuggingFace(directory: string, { architecture, tensors, tokenizerPath, dtype }: DecoderExport): Promise<void> {
  const family = exportedFamily(architecture);
  const complete = checkComplete(architecture, tensors);
  const config = { ...huggingFaceConfig(family, architecture, dtype), ...(await specialTokenIds(tokenizerPath)) };
  await makeDirectory(directory, async (temporary) => {
    await writeFile(join(temporary, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
    await writeSafetensors(join(temporary, 'model.safetensors'), ELEMENT_TYPES[dtype], family === 'gpt2' ? gpt2Tensors(complete) : complete);
    if (tokenizerPath !== null) await copyTokenizer(tokenizerPath, temporary);
  });
}

function checkComplete(architecture: TransformerArchitecture, tensors: Iterable<WritableTensor>): readonly WritableTensor[] {
  const given = new Map([...tensors].map((tensor) => [tensor.name, tensor]));
  return decoderTensors(architecture).map(({ name, shape }) => {
    const tensor = given.get(name);
    const found = tensor === undefined ? 'missing' : renderShape(tensor.shape);
    if (tensor === undefined || found !== renderShape(shape)) throw new LockstepError('storage', `tensor ${name} to export is ${found}, expected ${renderShape(shape)}`);
    return tensor;
  });
}
