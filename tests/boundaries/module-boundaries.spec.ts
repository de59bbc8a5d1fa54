import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ESLint } from 'eslint';
import { beforeAll, describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const RULE = '@nx/enforce-module-boundaries';
/** An upward import is refused by its direction or, where the other way is used already, as a circle. */
const REFUSED = /can only depend on libs tagged|Circular dependency between/;

/** The lint as configured, less every other rule and the types that only those need. */
const eslint = new ESLint({
  cwd: root,
  ruleFilter: ({ ruleId }) => ruleId === RULE,
  overrideConfig: { files: ['**/*.ts'], languageOptions: { parserOptions: { projectService: false } } },
});

/** What the lint says of a source that stands in a library and has this import. */
async function complaintsAbout(library: string, specifier: string): Promise<string[]> {
  const filePath = join(root, library, 'src', 'index.ts');
  const results = await eslint.lintText(`import * as imported from '${specifier}';\nexport { imported };\n`, { filePath });
  return results.flatMap(({ messages }) => messages).map(({ ruleId, message }) => `${ruleId}: ${message}`);
}

beforeAll(() => {
  // The rule reads nx's project graph, and passes everything where none was made.
  execFileSync(process.execPath, [join(root, 'node_modules/nx/dist/bin/nx.js'), 'show', 'projects'], { cwd: root, env: { ...process.env, NX_DAEMON: 'false' } });
});

describe('module boundaries', () => {
  test.each([
    ['libs/core', '@lockstep/data'],
    ['libs/scheduling', '@lockstep/transport'],
    ['libs/reduction', '@lockstep/engine'],
    ['libs/transport', '@lockstep/engine'],
    ['libs/parameter-server', '@lockstep/models'],
    ['libs/engine', '@lockstep/transport'],
    ['libs/models', '@lockstep/checkpoint'],
    ['libs/telemetry', '@lockstep/app-coordinator'],
    ['tools', '@lockstep/transport'],
  ])('%s may not import %s', async (library, specifier) => {
    expect(await complaintsAbout(library, specifier)).toEqual([expect.stringMatching(REFUSED)]);
  });

  test.each([
    ['libs/core', '@grpc/grpc-js'],
    ['libs/core', '@tensorflow/tfjs'],
    ['libs/scheduling', '@grpc/grpc-js'],
    ['libs/reduction', '@tensorflow/tfjs-node-gpu'],
    ['libs/transport', '@tensorflow/tfjs'],
    ['libs/engine', '@grpc/grpc-js'],
  ])('%s may not import %s from npm', async (library, specifier) => {
    expect(await complaintsAbout(library, specifier)).toEqual([expect.stringContaining('is not allowed to import')]);
  });

  test('a library is not reached into by a relative path', async () => {
    expect(await complaintsAbout('libs/transport', '../../core/src/errors.ts')).toEqual([expect.stringContaining('relative')]);
  });

  test.each([
    ['libs/data', '@lockstep/core'],
    ['libs/parameter-server', '@lockstep/transport'],
    ['libs/models', '@lockstep/engine'],
    ['libs/transport', '@grpc/grpc-js'],
    ['libs/engine', '@tensorflow/tfjs-node-gpu'],
    ['apps/coordinator', '@lockstep/parameter-server'],
    ['apps/worker', '@lockstep/engine'],
    ['apps/cli', '@lockstep/app-coordinator'],
  ])('%s may import %s', async (library, specifier) => {
    expect(await complaintsAbout(library, specifier)).toEqual([]);
  });

  test('every source of the repository keeps them', async () => {
    const libraries = readdirSync(join(root, 'libs')).map((name) => `libs/${name}/src/**/*.ts`);
    const results = await eslint.lintFiles([...libraries, 'apps/*/src/**/*.ts']);
    expect(results.length).toBeGreaterThan(libraries.length);
    expect(results.flatMap(({ filePath, messages }) => messages.map(({ line, message }) => `${filePath}:${line} ${message}`))).toEqual([]);
  });
});
