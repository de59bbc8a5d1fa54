import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LockstepError, type LoraConfig, type TransformerArchitecture } from '@lockstep/core';
import { writeSafetensors, type WritableTensor } from '../formats/safetensors-writer.ts';
import { makeDirectory } from '../new-directory.ts';
import { exportedFamily } from './exported-family.ts';

export interface AdapterExport {
  readonly lora: LoraConfig;
  /** The model that the adapters were trained beside: its folder, or its name on Hugging Face's hub, and its architecture. */
  readonly base: { readonly path: string; readonly architecture: TransformerArchitecture };
  /** `model.layers.N.self_attn.q_proj.lora_A.weight` `[rank, in]`, `.lora_B.weight` `[out, rank]` and so on. */
  readonly tensors: Iterable<WritableTensor>;
}

/** What PEFT puts before the names of a model's tensors. */
const PREFIX = 'base_model.model.';

/**
 * Writes adapters as a new folder that PEFT loads: `adapter_config.json` and `adapter_model.safetensors`, in float32; whole or not at all.
 * @throws LockstepError `config` if the base is no Llama: GPT-2 has queries, keys and values in one layer, beside which PEFT has one adapter;
 * `usage` if the folder is there already; `storage`.
 */
export async function writeAdapters(directory: string, { lora, base, tensors }: AdapterExport): Promise<void> {
  if (exportedFamily(base.architecture) !== 'llama') {
    throw new LockstepError('config', 'adapters beside a GPT-2 cannot be written for PEFT, expected a Llama', { hint: 'Export the merged model.' });
  }
  const named = [...tensors].map((tensor) => ({ name: PREFIX + tensor.name, shape: tensor.shape, values: () => tensor.values() }));
  await makeDirectory(directory, async (temporary) => {
    await writeFile(join(temporary, 'adapter_config.json'), `${JSON.stringify(adapterConfig(lora, base.path), null, 2)}\n`);
    await writeSafetensors(join(temporary, 'adapter_model.safetensors'), 'F32', named);
  });
}

function adapterConfig({ rank, alpha, dropout, targets }: LoraConfig, basePath: string): object {
  return {
    peft_type: 'LORA', task_type: 'CAUSAL_LM', base_model_name_or_path: basePath,
    r: rank, lora_alpha: alpha, lora_dropout: dropout, target_modules: targets,
    bias: 'none', fan_in_fan_out: false, inference_mode: true, init_lora_weights: true,
  };
}
