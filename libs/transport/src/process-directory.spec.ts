import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createProcessDirectory } from './process-directory.ts';

let parent: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'process-directory-spec-'));
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

it('is the user\'s alone, and another each time', () => {
  const directories = [createProcessDirectory(parent), createProcessDirectory(parent)];
  expect(new Set(directories).size).toBe(2);
  for (const directory of directories) expect(statSync(directory).mode & 0o777).toBe(0o700);
});

it('removes what killed processes left, and nothing else', () => {
  const module = join(import.meta.dirname, 'process-directory.ts');
  const script = `const { createProcessDirectory } = await import(${JSON.stringify(module)}); createProcessDirectory(${JSON.stringify(parent)}); process.kill(process.pid, 'SIGKILL');`;
  expect(spawnSync(process.execPath, ['--input-type=module', '-e', script]).signal).toBe('SIGKILL');
  const [left = ''] = readdirSync(parent);
  expect(left).toMatch(/^lockstep-\d+-\d+-/);
  writeFileSync(join(parent, 'lockstep-notes'), '');
  const first = createProcessDirectory(parent);
  createProcessDirectory(parent);
  expect(existsSync(join(parent, left))).toBe(false);
  expect(existsSync(first)).toBe(true);
  expect(existsSync(join(parent, 'lockstep-notes'))).toBe(true);
});

it('says which directory cannot be written', () => {
  expect(() => createProcessDirectory(join(parent, 'none'))).toThrow(`cannot make a directory in ${join(parent, 'none')}: ENOENT`);
});
