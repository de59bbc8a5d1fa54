/** What the machine must have before set-up can do its work: each thing that lacks is one line with its remedy. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, statfsSync } from 'node:fs';
import { SetupError } from './report.mjs';

const OLDEST_NODE = 20;
const OLDEST_GLIBC = 2.27;

/** @param {string} program @param {string[]} args */
const works = (program, args) => spawnSync(program, args, { stdio: 'ignore' }).status === 0;

/** @returns {string[]} */
function missingAlways() {
  const lines = [];
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    lines.push(`this is ${process.platform} on ${process.arch}, and the native engine exists for Linux on x64: use such a machine or a container`);
  }
  const version = Number(process.versions.node.split('.')[0]);
  if (version < OLDEST_NODE) lines.push(`Node ${process.versions.node} is too old: install Node ${OLDEST_NODE} or newer (https://nodejs.org)`);
  return lines;
}

/** @returns {string[]} */
function missingForPackages() {
  return works('npm', ['--version']) ? [] : ['npm is missing: apt-get install npm, or install Node from https://nodejs.org, which brings it'];
}

/** @param {string} directory @param {number} diskBytes @returns {string[]} */
function missingForEngine(directory, diskBytes) {
  const lines = [];
  if (!works('python3', ['--version'])) lines.push('python3 is missing: apt-get install python3 python3-pip');
  else if (!works('python3', ['-m', 'pip', '--version'])) lines.push("Python's pip is missing: apt-get install python3-pip");
  if (!works('g++', ['--version'])) lines.push('g++ is missing: apt-get install g++');
  const glibc = Number(/** @type {any} */ (process.report?.getReport())?.header?.glibcVersionRuntime ?? 0);
  if (glibc < OLDEST_GLIBC) lines.push(`the C library is ${glibc || 'not glibc'}, and the engine needs glibc ${OLDEST_GLIBC} or newer: use a Debian or Ubuntu from 2018 on`);
  mkdirSync(directory, { recursive: true });
  const { bavail, bsize } = statfsSync(directory);
  if (bavail * bsize < diskBytes) {
    lines.push(`${directory} has ${gigabytes(bavail * bsize)} GB free, and the engine needs ${gigabytes(diskBytes)}: free some, or set XDG_CACHE_HOME to a larger disk`);
  }
  return lines;
}

/** @param {number} bytes */
const gigabytes = (bytes) => (bytes / 1e9).toFixed(1);

/**
 * @param {{ packages: boolean, engine: { directory: string, diskBytes: number } | undefined }} work what set-up is going to do
 * @throws {SetupError} naming everything that is missing, exit code 2
 */
export function requirePrerequisites(work) {
  const lines = [
    ...missingAlways(),
    ...(work.packages ? missingForPackages() : []),
    ...(work.engine ? missingForEngine(work.engine.directory, work.engine.diskBytes) : []),
  ];
  if (lines.length > 0) throw new SetupError(lines.join('\n'), 2);
}
