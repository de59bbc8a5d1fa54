/** Makes the native engine in a directory: download, unpack, strip, compile. */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runProgram, SetupError, step } from './report.mjs';

/** @typedef {import('./engine.mjs').EnginePlan} EnginePlan */

const here = dirname(fileURLToPath(import.meta.url));
const LIBRARIES = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];
const BINDING = ['lib', 'napi-v8', 'tfjs_binding.node'];

/**
 * The directory then holds `lib/napi-v8/tfjs_binding.node`, `deps/lib` with the two libraries, for CUDA `deps/nvidia`
 * (where the libraries look for it), and `lib/engine.json`.
 * @param {string} root @param {EnginePlan} plan @param {string} directory
 */
export async function makeEngine(root, plan, directory) {
  const scratch = join(directory, 'scratch');
  mkdirSync(scratch, { recursive: true });
  const wheels = await download(plan, scratch);
  await step('engine: unpacking', () => runProgram('python3', [join(here, 'unpack.py'), scratch, ...wheels]));
  await placeLibraries(scratch, directory);
  await step('engine: compiling the binding (g++)', () => compile(root, scratch, directory));
  rmSync(scratch, { recursive: true });
  writeFileSync(join(directory, 'lib', 'engine.json'), `${JSON.stringify(describe(plan))}\n`);
}

/** @param {EnginePlan} plan @param {string} scratch @returns {Promise<string[]>} the wheels, their hashes verified by pip */
async function download(plan, scratch) {
  const directory = join(scratch, 'wheels');
  mkdirSync(directory);
  const megabytes = (plan.downloadBytes / 1e6).toFixed(0);
  const amount = () => {
    const bytes = Math.min(bytesUnder(scratch), plan.downloadBytes);
    return `${(bytes / 1e6).toFixed(0)} of ${megabytes} MB (${((100 * bytes) / plan.downloadBytes).toFixed(0)} %)`;
  };
  await step(`engine: downloading TensorFlow, ${plan.kind}, ${megabytes} MB`, () => pipDownload(plan.requirements, directory, scratch), amount);
  return readdirSync(directory).map((name) => join(directory, name));
}

/** @param {string} requirements @param {string} directory @param {string} scratch */
function pipDownload(requirements, directory, scratch) {
  const platforms = ['manylinux_2_27', 'manylinux_2_17', 'manylinux2014', 'manylinux_2_12', 'manylinux2010'];
  return runProgram('python3', [
    '-m', 'pip', 'download', '--no-deps', '--require-hashes', '--only-binary', ':all:', '--no-cache-dir', '--disable-pip-version-check',
    '--python-version', '3.13', '--implementation', 'cp', '--abi', 'cp313', '--abi', 'none',
    ...platforms.flatMap((name) => ['--platform', `${name}_x86_64`]),
    '--dest', directory, '--requirement', requirements,
  ], { env: { ...process.env, TMPDIR: scratch } }).catch((error) => {
    throw new SetupError(`${error.message}\nIt was asked for ${requirements}: check the network; a proxy or a mirror is named by pip's own settings (https_proxy, PIP_INDEX_URL)`);
  });
}

/** @param {string} directory @returns {number} the bytes of all files under it; files that go away meanwhile count nothing */
function bytesUnder(directory) {
  try {
    return readdirSync(directory, { withFileTypes: true }).reduce((sum, entry) => {
      const path = join(directory, entry.name);
      return sum + (entry.isDirectory() ? bytesUnder(path) : statSync(path).size);
    }, 0);
  } catch {
    return 0;
  }
}

/** @param {string} scratch @param {string} directory */
async function placeLibraries(scratch, directory) {
  const libraries = join(directory, 'deps', 'lib');
  mkdirSync(libraries, { recursive: true });
  for (const name of LIBRARIES) renameSync(join(scratch, 'tensorflow', name), join(libraries, name));
  if (readdirSync(scratch).includes('nvidia')) renameSync(join(scratch, 'nvidia'), join(directory, 'deps', 'nvidia'));
  if (spawnSync('strip', ['--version'], { stdio: 'ignore' }).status !== 0) return;
  const paths = LIBRARIES.map((name) => join(libraries, name));
  await step('engine: leaving out symbols that nothing uses (strip)', () => runProgram('strip', ['--strip-unneeded', ...paths]));
}

/** @param {string} root @param {string} scratch @param {string} directory */
async function compile(root, scratch, directory) {
  const sources = join(root, 'node_modules', '@tensorflow', 'tfjs-node-gpu', 'binding');
  const output = join(directory, ...BINDING);
  mkdirSync(dirname(output), { recursive: true });
  await runProgram('g++', [
    '-O2', '-std=c++17', '-fPIC', '-shared', '-DNAPI_VERSION=8',
    `-I${join(root, 'node_modules', 'node-api-headers', 'include')}`, `-I${join(scratch, 'tensorflow', 'include')}`, `-I${sources}`,
    join(sources, 'tfjs_backend.cc'), join(sources, 'tfjs_binding.cc'), '-o', output,
    `-L${join(directory, 'deps', 'lib')}`, ...LIBRARIES.map((name) => `-l:${name}`), "-Wl,-rpath,$ORIGIN/../../deps/lib",
  ]);
}

/** @param {EnginePlan} plan what `lib/engine.json` says */
function describe(plan) {
  const [, name, version, sha256] = /^(tensorflow\S*)==(\S+) --hash=sha256:(\w+)/m.exec(readFileSync(plan.requirements, 'utf8')) ?? [];
  return { kind: plan.kind, library: name, version, sha256 };
}
