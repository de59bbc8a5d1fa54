import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { LockstepError } from '@lockstep/core';

/** A native engine on this machine, as its files tell; nothing of it has been loaded. */
export interface InstalledEngine {
  readonly packageName: string;
  /** TensorFlow's version, e.g. `2.21.0`. */
  readonly tensorflowVersion: string;
  /** Whether the library can compute on a GPU. */
  readonly cuda: boolean;
}

const PACKAGES = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'];
const require = createRequire(import.meta.url);

/** The native engine that this process would load. @throws LockstepError `prerequisite` when there is none. */
export function installedEngine(): InstalledEngine {
  for (const packageName of PACKAGES) {
    const root = packageRoot(packageName);
    const engine = root === null ? null : engineAt(packageName, root);
    if (engine !== null) return engine;
  }
  throw new LockstepError('prerequisite', `the native engine is not set up: found no TensorFlow library and binding in ${PACKAGES.join(' or ')}`, {
    hint: 'Run `npm run setup` in the checkout; `lockstep doctor` says what is missing. `--engine javascript` computes without it, 25 times slower.',
  });
}

function packageRoot(packageName: string): string | null {
  try {
    return dirname(require.resolve(`${packageName}/package.json`));
  } catch {
    return null;
  }
}

function engineAt(packageName: string, root: string): InstalledEngine | null {
  const binding = ['napi-v8', 'napi-v9', 'napi-v10'].map((version) => join(root, 'lib', version, 'tfjs_binding.node')).find((path) => existsSync(path));
  if (binding === undefined || !existsSync(join(root, 'deps', 'lib'))) return null;
  const description = describedBySetup(root) ?? describedByItself(binding);
  return description === null ? null : { packageName, ...description };
}

/** What the set-up wrote beside a binding that it made. */
function describedBySetup(root: string): Omit<InstalledEngine, 'packageName'> | null {
  const path = join(root, 'lib', 'engine.json');
  if (!existsSync(path)) return null;
  const { version, kind } = JSON.parse(readFileSync(path, 'utf8')) as { version: string; kind: 'cpu' | 'gpu' };
  return { tensorflowVersion: version, cuda: kind === 'gpu' };
}

/** A binding that was installed by other means is asked, in a process of its own. */
function describedByItself(binding: string): Omit<InstalledEngine, 'packageName'> | null {
  try {
    const tensorflowVersion = execFileSync(process.execPath, ['-p', `require(${JSON.stringify(binding)}).TF_Version`], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    return { tensorflowVersion, cuda: readdirSync(join(binding, '..', '..', '..', 'deps', 'lib')).some((name) => name.includes('cuda')) };
  } catch {
    return null;
  }
}
