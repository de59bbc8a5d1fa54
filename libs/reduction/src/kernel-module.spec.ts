import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

it('names the build step where the kernels were not built', () => {
  const directory = mkdtempSync(join(tmpdir(), 'lockstep-kernels-'));
  try {
    cpSync(fileURLToPath(new URL('.', import.meta.url)), join(directory, 'src'), { recursive: true });
    symlinkSync(fileURLToPath(new URL('../../../node_modules', import.meta.url)), join(directory, 'node_modules'));
    const program = 'import(process.argv[1]).then((m) => m.createKernels()).catch((e) => console.log(e.code, e.hint))';
    const output = execFileSync(process.execPath, ['-e', program, join(directory, 'src', 'kernels.ts')], { encoding: 'utf8' });
    expect(output).toMatch(/^prerequisite .*libs\/reduction\/assembly\/build\.mjs/);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
