import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { afterEach, beforeEach, expect, describe, it } from 'vitest';
import { openGguf } from '../formats/gguf-file.ts';
import { expected, tiny } from '../testing/fixtures.ts';
import { exportGgufTokenizer } from './export-gguf-tokenizer.ts';
import { readGgufTokenizer } from './gguf-tokenizer.ts';

let folder: string;
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'lockstep-tokenizer-')); });
afterEach(() => rmSync(folder, { recursive: true }));

const readJson = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;

describe('exportGgufTokenizer', () => {
  it('writes a tokenizer that encodes as the one that the file was made from', async () => {
    const path = await exportGgufTokenizer(tiny('llama.gguf'), join(folder, 'tokenizer'));
    const tokenizer = new Tokenizer(readJson(path), readJson(join(dirname(path), 'tokenizer_config.json')));
    const { text, ids } = expected.tokenizer;
    expect(tokenizer.encode(text).ids).toEqual(ids);
    expect(tokenizer.decode([...ids])).toBe(text);
  });

  it('takes special tokens and the chat template along', async () => {
    const path = await exportGgufTokenizer(tiny('llama.gguf'), join(folder, 'tokenizer'));
    expect(readJson(join(dirname(path), 'tokenizer_config.json'))).toMatchObject({
      bos_token: '<|im_start|>', eos_token: '<|end|>', chat_template: expect.stringContaining('for message in messages'),
    });
  });

  it('refuses to write where something is', async () => {
    await exportGgufTokenizer(tiny('llama.gguf'), join(folder, 'tokenizer'));
    await expect(exportGgufTokenizer(tiny('llama.gguf'), join(folder, 'tokenizer'))).rejects.toMatchObject({ code: 'usage' });
  });

  it('refuses a tokenizer of another kind, naming the key', async () => {
    const file = await openGguf(tiny('llama.gguf'));
    const other = { ...file, metadata: { ...file.metadata, 'tokenizer.ggml.pre': 'qwen2', 'tokenizer.ggml.add_bos_token': true } };
    expect(() => readGgufTokenizer(other)).toThrow(/tokenizer.ggml.pre is "qwen2".*tokenizer.ggml.add_bos_token is true/);
  });

  it('refuses merges that the vocabulary does not have', async () => {
    const file = await openGguf(tiny('llama.gguf'));
    const other = { ...file, metadata: { ...file.metadata, 'tokenizer.ggml.merges': ['h e', 'he lo'] } };
    expect(() => readGgufTokenizer(other)).toThrow(/tokenizer.ggml.merges is \["h e","he lo"\]: expected merges of tokens/);
  });
});
