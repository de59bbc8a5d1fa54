import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';

const directory = mkdtempSync(join(tmpdir(), 'lockstep-kernel-build-'));
const library = new URL('..', import.meta.url);
afterAll(() => rmSync(directory, { recursive: true }));

function build(): string {
  return execFileSync(process.execPath, [join(directory, 'assembly', 'build.mjs')], { encoding: 'utf8' }).trim();
}

it('compiles the kernels to the same bytes anywhere, and only once', { timeout: 60_000 }, () => {
  cpSync(fileURLToPath(new URL('assembly', library)), join(directory, 'assembly'), { recursive: true });
  symlinkSync(fileURLToPath(new URL('../../node_modules', library)), join(directory, 'node_modules'));
  expect(build()).toBe('kernels: built');
  const bytes = readFileSync(join(directory, 'build', 'kernels.wasm'));
  expect(bytes.equals(readFileSync(new URL('build/kernels.wasm', library)))).toBe(true);
  expect(build()).toBe('kernels: up to date');
});
