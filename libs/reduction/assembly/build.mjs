/**
 * Compiles the kernels to `libs/reduction/build/kernels.wasm`; does nothing when that is up to date.
 * Plain JavaScript, so that set-up can run it on any Node before types can be stripped.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const sourceDirectory = dirname(fileURLToPath(import.meta.url));
const buildDirectory = join(sourceDirectory, '..', 'build');
const wasmPath = join(buildDirectory, 'kernels.wasm');
const stampPath = join(buildDirectory, 'kernels.sha256');

const LARGEST_MEMORY_PAGES = 65_536;
const OPTIONS = [
  '--runtime', 'stub', '--noAssert', '-O3',
  '--enable', 'simd', '--enable', 'threads',
  '--importMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', String(LARGEST_MEMORY_PAGES),
];

/** @returns {string} what the output depends on: sources, options, this script and the compiler's version */
function fingerprint() {
  const hash = createHash('sha256');
  for (const name of readdirSync(sourceDirectory).sort()) hash.update(name).update(readFileSync(join(sourceDirectory, name)));
  const compiler = createRequire(import.meta.url)('assemblyscript/package.json');
  return hash.update(compiler.version).digest('hex');
}

async function compile() {
  const { main } = await import('assemblyscript/asc');
  const temporaryPath = `${wasmPath}.${process.pid}`;
  const { error, stderr } = await main(['index.ts', ...OPTIONS, '--baseDir', sourceDirectory, '--outFile', temporaryPath]);
  if (error) throw new Error(`the kernels do not compile: ${error.message}\n${stderr.toString()}`);
  renameSync(temporaryPath, wasmPath);
}

/** @returns {Promise<boolean>} whether there was something to do */
export async function buildKernels() {
  const wanted = fingerprint();
  if (existsSync(wasmPath) && existsSync(stampPath) && readFileSync(stampPath, 'utf8') === wanted) return false;
  mkdirSync(buildDirectory, { recursive: true });
  await compile();
  writeFileSync(stampPath, wanted);
  return true;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log((await buildKernels()) ? 'kernels: built' : 'kernels: up to date');
}
