import { describe, expect, it } from 'vitest';
import { importBundle, importModelFunction } from './config-bundle.ts';
import { sha256 } from './hashing.ts';

const bundleOf = (source: string) => ({ source, sha256: sha256(source) });

describe('a bundle', () => {
  it('is imported as a module, its imports those of the installation', async () => {
    const module = await importBundle(bundleOf("import { z } from 'zod'; export const answer = z.number().parse(42);"), 'run.ts');
    expect(module['answer']).toBe(42);
  });

  it('is run once for all who ask, one after another', async () => {
    const bundle = bundleOf('globalThis.bundleRuns = (globalThis.bundleRuns ?? 0) + 1; export default globalThis.bundleRuns;');
    for (let time = 0; time < 3; time += 1) expect((await importBundle(bundle, 'run.ts'))['default']).toBe(1);
  });

  it('is not run when it is not what its hash says', async () => {
    const bundle = { ...bundleOf('export {}'), source: 'globalThis.ranUnchecked = true;' };
    await expect(importBundle(bundle, 'run.ts')).rejects.toMatchObject({ code: 'protocol', message: expect.stringContaining(`expected ${bundle.sha256}`) });
    expect('ranUnchecked' in globalThis).toBe(false);
  });

  it.each(["throw new Error('no such file: data.csv')", 'export const = 3', "import 'no-such-package'"])('that cannot be run is a mistake in the named file: %s', async (source) => {
    await expect(importBundle(bundleOf(source), 'my-run.ts')).rejects.toMatchObject({ code: 'config', message: expect.stringMatching(/^my-run\.ts: ./), cause: expect.anything() });
  });
});

describe('a custom model', () => {
  it('is the function that the file exports', async () => {
    const build = await importModelFunction(bundleOf('export default { model: (context) => context.numClasses + 1 };'));
    expect(build({ numClasses: 10 })).toBe(11);
  });

  it.each([['export default { model: "cnn" };', 'string'], ['export default {};', 'undefined'], ['export const model = () => 1;', 'undefined']])('is missing in %s', async (source, type) => {
    await expect(importModelFunction(bundleOf(source))).rejects.toMatchObject({ code: 'config', message: `the config file's model: got ${type}, expected a function` });
  });
});
