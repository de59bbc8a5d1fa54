import { randomUUID } from 'node:crypto';
import { mkdir, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { LockstepError, messageOf } from './errors.ts';
import { sha256 } from './hashing.ts';

/** A config file with all it imports, as one ES module: what a worker builds a custom model from. */
export interface ConfigBundle {
  readonly source: string;
  readonly sha256: string;
}

/**
 * Imports a bundle from the installation's cache, where its imports resolve.
 * @throws LockstepError `protocol` if the source is not what its hash says, `config` if the module throws.
 */
export async function importBundle(bundle: ConfigBundle, file: string): Promise<Record<string, unknown>> {
  const actual = sha256(bundle.source);
  if (actual !== bundle.sha256) {
    throw new LockstepError('protocol', `the config's bundle has SHA-256 ${actual}, expected ${bundle.sha256}`);
  }
  const path = await cacheBundle(bundle);
  try {
    return (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  } catch (cause) {
    throw new LockstepError('config', `${file}: ${messageOf(cause)}`, { cause });
  }
}

/**
 * The function that builds a run's custom model, from the bundle of its config file.
 * @throws LockstepError as `importBundle`, and `config` if the file exports no such function.
 */
export async function importModelFunction(bundle: ConfigBundle): Promise<(context: object) => unknown> {
  const module = await importBundle(bundle, 'the config file');
  const model = (module['default'] as { model?: unknown } | undefined)?.model;
  if (typeof model === 'function') return model as (context: object) => unknown;
  throw new LockstepError('config', `the config file's model: got ${typeof model}, expected a function`);
}

async function cacheBundle(bundle: ConfigBundle): Promise<string> {
  const directory = join(await installationRoot(), 'node_modules', '.cache', 'lockstep', 'bundles');
  const path = join(directory, `${bundle.sha256}.mjs`);
  const temporary = `${path}.partial-${randomUUID()}`;
  try {
    await mkdir(directory, { recursive: true });
    await writeFile(temporary, bundle.source);
    await rename(temporary, path);
  } catch (cause) {
    throw new LockstepError('storage', `cannot write ${path}: ${messageOf(cause)}`, { cause });
  }
  return path;
}

/** The directory whose `node_modules` holds what a bundle imports. */
async function installationRoot(): Promise<string> {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!(await exists(join(directory, 'node_modules', '@tensorflow')))) {
    const parent = dirname(directory);
    if (parent === directory) throw new LockstepError('prerequisite', 'no installation with TensorFlow.js found', { hint: 'run npm install' });
    directory = parent;
  }
  return directory;
}

const exists = (path: string): Promise<boolean> => stat(path).then(() => true, () => false);
