import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LoraConfig, TensorSource, TransformerArchitecture } from '@lockstep/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSafetensors } from '../formats/safetensors-file.ts';
import type { WritableTensor } from '../formats/safetensors-writer.ts';
import { openPretrained } from '../open-pretrained.ts';
import { tell, tiny } from '../testing/fixtures.ts';
import { writeAdapters } from './write-adapters.ts';
import { writeHuggingFace } from './write-hugging-face.ts';

let folder: string;
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'lockstep-export-')); });
afterEach(() => rmSync(folder, { recursive: true }));

const writable = ({ tensors, read }: TensorSource): WritableTensor[] => tensors.map(({ name, shape }) => ({ name, shape, values: () => read(name) }));

async function openDecoder(path: string) {
  const model = await openPretrained(path);
  if (model.kind !== 'decoder') throw new Error(`${path} is an encoder`);
  return model;
}

async function exported(name: string, dtype: 'float32' | 'float16' | 'bfloat16', tokenizerPath: string | null = null): Promise<string> {
  const { architecture, tensors } = await openDecoder(tiny(name));
  const directory = join(folder, 'out');
  await writeHuggingFace(directory, { architecture, tensors: writable(tensors).reverse(), tokenizerPath, dtype });
  return directory;
}

describe('writeHuggingFace', () => {
  it.each(['llama', 'gpt2'])('writes the bytes of model.safetensors that transformers writes for a %s', async (name) => {
    const directory = await exported(name, 'float32');
    expect(readFileSync(join(directory, 'model.safetensors'))).toEqual(readFileSync(join(tiny(name), 'model.safetensors')));
  });

  it.each([['llama', 'float32'], ['llama-sharded', 'bfloat16'], ['gpt2', 'float32'], ['gpt2-bare', 'float16'], ['llama.gguf', 'float32']] as const)(
    'writes %s in %s so that it opens as the same model', async (name, dtype) => {
      const [before, after] = [await openDecoder(tiny(name)), await openDecoder(await exported(name, dtype))];
      expect(after.architecture).toEqual(before.architecture);
      expect(tell(after.tensors)).toEqual(tell(before.tensors));
    });

  it('takes the tokenizer along and says which tokens begin and end a text', async () => {
    const tokenizerPath = join(folder, 'tokenizer.json');
    writeFileSync(tokenizerPath, JSON.stringify({ added_tokens: [{ id: 5, content: '<end>' }] }));
    writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify({ eos_token: { content: '<end>' } }));
    const directory = await exported('llama', 'float32', tokenizerPath);
    expect(readdirSync(directory).toSorted()).toEqual(['config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json']);
    expect(JSON.parse(readFileSync(join(directory, 'config.json'), 'utf8'))).toMatchObject({ eos_token_id: 5, bos_token_id: null });
  });

  it('says why an architecture is of no family', async () => {
    const { architecture, tensors } = await openDecoder(tiny('llama'));
    const mixed: TransformerArchitecture = { ...architecture, norm: 'layerNorm' };
    await expect(writeHuggingFace(join(folder, 'out'), { architecture: mixed, tensors: writable(tensors), tokenizerPath: null, dtype: 'float32' }))
      .rejects.toMatchObject({ code: 'config', message: expect.stringContaining('llama has norm rmsNorm, not layerNorm; gpt2 has positions learned, not rotary') });
  });

  it('leaves nothing behind when a tensor cannot be had', async () => {
    const { architecture, tensors } = await openDecoder(tiny('llama'));
    const failing = writable(tensors).map((tensor) => (tensor.name === 'model.norm.weight' ? { ...tensor, values: () => new Float32Array(3) } : tensor));
    await expect(writeHuggingFace(join(folder, 'out'), { architecture, tensors: failing, tokenizerPath: null, dtype: 'float32' })).rejects.toThrow(/model.norm.weight has 3 values, its shape \[8\] 8/);
    expect(readdirSync(folder)).toEqual([]);
    await expect(writeHuggingFace(join(folder, 'out'), { architecture, tensors: [], tokenizerPath: null, dtype: 'float32' })).rejects.toThrow(/model.embed_tokens.weight to export is missing, expected \[7, 8\]/);
  });
});

describe('writeAdapters', () => {
  const lora: LoraConfig = { rank: 2, alpha: 6, dropout: 0.1, targets: ['q_proj', 'v_proj'] };
  const fromPeft = () => openSafetensors(tiny('adapter_model.safetensors')).map((tensor) => ({
    name: tensor.name.replace('base_model.model.', ''), shape: tensor.shape, values: () => tensor.read(),
  }));

  it('writes the bytes that PEFT writes, and its configuration', async () => {
    const { architecture } = await openDecoder(tiny('llama'));
    await writeAdapters(join(folder, 'out'), { lora, base: { path: 'base', architecture }, tensors: fromPeft() });
    expect(readFileSync(join(folder, 'out/adapter_model.safetensors'))).toEqual(readFileSync(tiny('adapter_model.safetensors')));
    expect(JSON.parse(readFileSync(join(folder, 'out/adapter_config.json'), 'utf8'))).toMatchObject({
      peft_type: 'LORA', base_model_name_or_path: 'base', r: 2, lora_alpha: 6, lora_dropout: 0.1, target_modules: ['q_proj', 'v_proj'],
    });
  });

  it('refuses adapters beside a GPT-2', async () => {
    const { architecture } = await openDecoder(tiny('gpt2'));
    await expect(writeAdapters(join(folder, 'out'), { lora, base: { path: 'base', architecture }, tensors: [] })).rejects.toMatchObject({ code: 'config' });
  });
});
