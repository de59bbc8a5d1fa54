import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256 } from '@lockstep/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openPretrained } from './open-pretrained.ts';
import { expected, tell, tiny } from './testing/fixtures.ts';

let folder: string;
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'lockstep-pretrained-')); });
afterEach(() => rmSync(folder, { recursive: true }));

/** A copy of a tiny model with some fields of its config.json changed. */
function changed(name: string, fields: Record<string, unknown>): string {
  const copy = join(folder, name);
  cpSync(tiny(name), copy, { recursive: true });
  const config = join(copy, 'config.json');
  writeFileSync(config, JSON.stringify({ ...(JSON.parse(readFileSync(config, 'utf8')) as object), ...fields }));
  return copy;
}

describe('openPretrained', () => {
  it.each(['llama', 'llama-sharded', 'gpt2', 'gpt2-bare', 'bert', 'llama.gguf'])('reads each tensor of %s as the program that wrote it has it', async (name) => {
    const { tensors } = await openPretrained(tiny(name));
    expect(tell(tensors)).toEqual(expected[name]);
  });

  it('reads what a function depends on from the configuration', async () => {
    expect(await openPretrained(tiny('llama-sharded'))).toMatchObject({ kind: 'decoder', architecture: {
      vocabularySize: 7, depth: 1, width: 8, heads: 2, keyValueHeads: 1, headWidth: 4, hidden: 12, contextLength: 16, tiedEmbeddings: true,
      positions: 'rotary', ropeTheta: 5000, norm: 'rmsNorm', normEpsilon: 1e-6, activation: 'swiglu', biases: true,
    } });
    expect(await openPretrained(tiny('gpt2'))).toMatchObject({ kind: 'decoder', architecture: {
      vocabularySize: 7, depth: 1, heads: 2, keyValueHeads: 2, hidden: 32, contextLength: 6, positions: 'learned', norm: 'layerNorm', activation: 'gelu', biases: true,
    } });
    expect(await openPretrained(tiny('bert'))).toMatchObject({ kind: 'encoder', architecture: { typeVocabularySize: 2, hidden: 12, normEpsilon: 1e-12, pooler: true } });
    expect(await openPretrained(tiny('llama.gguf'))).toMatchObject({ kind: 'decoder', tokenizerPath: null, architecture: {
      depth: 1, width: 32, heads: 2, keyValueHeads: 1, headWidth: 16, tiedEmbeddings: true, ropeTheta: 5000, normEpsilon: Math.fround(1e-5), biases: false,
    } });
  });

  it('says which files the tensors come from, with their SHA-256', async () => {
    const { source } = await openPretrained(tiny('llama-sharded'));
    const digests = await Promise.all(source.files.map((file) => file.sha256()));
    expect(digests).toEqual(source.files.map(({ path }) => sha256(readFileSync(path))));
    expect(digests.length).toBeGreaterThan(1);
  });

  it.each([
    ['llama', { rope_parameters: null, rope_scaling: { rope_type: 'llama3', factor: 8 } }, /rope_scaling.rope_type is "llama3"/],
    ['llama', { hidden_act: 'gelu' }, /hidden_act is "gelu": .*"silu"/],
    ['llama', { attention_bias: true }, /attention_bias is true: .*mlp_bias/],
    ['llama', { head_dim: 3 }, /head_dim is 3: .*even/],
    ['llama', { model_type: 'mistral', sliding_window: 8 }, /sliding_window is 8: .*no sliding windows/],
    ['llama', { model_type: 'mamba' }, /model_type is "mamba"/],
    ['llama', { vocab_size: undefined, hidden_size: -8 }, /vocab_size is missing.*hidden_size is -8/],
    ['gpt2', { activation_function: 'relu' }, /activation_function is "relu"/],
    ['gpt2', { scale_attn_by_inverse_layer_idx: true }, /scale_attn_by_inverse_layer_idx is true/],
    ['bert', { position_embedding_type: 'relative_key' }, /position_embedding_type is "relative_key"/],
  ])('refuses a %s with %j, naming file, field and value', async (name, fields, message) => {
    const path = changed(name, fields);
    const error = await openPretrained(path).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'data', message: expect.stringMatching(message) });
    expect((error as Error).message).toContain(join(path, 'config.json'));
  });

  it('takes a Mistral whose context fits in its window for a Llama', async () => {
    const { architecture } = await openPretrained(changed('llama', { model_type: 'mistral', sliding_window: 16 }));
    expect(architecture).toEqual((await openPretrained(tiny('llama'))).architecture);
  });

  it('lists all tensors that are missing, extra or of another shape in one error', async () => {
    const error = await openPretrained(changed('llama', { num_hidden_layers: 1, intermediate_size: 10, tie_word_embeddings: true, mlp_bias: true, attention_bias: true }))
      .catch((thrown: unknown) => thrown as Error);
    expect(error).toMatchObject({ code: 'data' });
    const { message } = error as Error;
    expect(message).toContain('model.safetensors: model.layers.0.mlp.up_proj.weight has shape [12, 8], expected [10, 8]');
    expect(message).toContain('model.layers.0.mlp.up_proj.bias [10] is missing');
    expect(message).toContain('model.layers.1.mlp.up_proj.weight [12, 8] is no part of such a model');
    expect(message).not.toContain('lm_head');
  });

  it('lists the first 20 and says how many more there are', async () => {
    await expect(openPretrained(changed('llama', { num_hidden_layers: 9 }))).rejects.toThrow(/and 43 more$/);
  });

  it('refuses an index that points out of its folder', async () => {
    const path = changed('llama-sharded', {});
    writeFileSync(join(path, 'model.safetensors.index.json'), JSON.stringify({ weight_map: { 'model.norm.weight': '../llama/model.safetensors' } }));
    await expect(openPretrained(path)).rejects.toThrow(/weight_map.model.norm.weight is "\.\.\/llama.*without a folder/);
  });

  it('refuses a name that the model has not', async () => {
    const { tensors } = await openPretrained(tiny('llama'));
    expect(() => tensors.read('model.layers.7.mlp.up_proj.weight')).toThrow(/has no tensor model.layers.7/);
  });

  it('says that a path is not there', async () => {
    await expect(openPretrained(join(folder, 'none'))).rejects.toMatchObject({ code: 'not-found' });
    await expect(openPretrained(folder)).rejects.toMatchObject({ code: 'not-found', message: expect.stringContaining('model.safetensors') });
  });
});
