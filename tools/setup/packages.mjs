/** The npm packages of the lock file. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram, step } from './report.mjs';

/** @param {string} path @returns {Record<string, { version?: string, optional?: boolean }>} */
const packagesOf = (path) => JSON.parse(readFileSync(path, 'utf8')).packages;

/** @param {string} root @returns {'installed' | 'outdated' | 'absent'} by npm's own record of what it installed */
export function packagesState(root) {
  const record = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return 'absent';
  const installed = packagesOf(record);
  const wanted = Object.entries(packagesOf(join(root, 'package-lock.json')));
  const differs = wanted.some(([path, { version, optional }]) => path.startsWith('node_modules/') && !optional && installed[path]?.version !== version);
  return differs ? 'outdated' : 'installed';
}

/**
 * Installs what the lock file says; an older installation is brought up to date in place.
 * @param {string} root @param {'outdated' | 'absent'} state
 */
export async function installPackages(root, state) {
  const args = state === 'absent' ? ['ci'] : ['install', '--no-save'];
  await step(`npm packages (npm ${args.join(' ')})`, () => runProgram('npm', [...args, '--no-progress'], { cwd: root }));
}
