/** What set-up says while it works: a line a step, and progress on what takes time. */
import { spawn } from 'node:child_process';

const isTerminal = process.stderr.isTTY === true;
const PLAIN_INTERVAL_MS = 10_000;
const TERMINAL_INTERVAL_MS = 200;

/** A prerequisite or a step that failed: one line and its remedy. Prerequisites end the process with 2, failures with 1. */
export class SetupError extends Error {
  /** @param {string} message @param {1 | 2} exitCode */
  constructor(message, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** @param {string} line */
export function say(line) {
  process.stderr.write(`${line}\n`);
}

/**
 * Runs `work` under a line that tells how long it has been going on and, where `amount` says so, how far it is.
 * @template T
 * @param {string} title
 * @param {() => Promise<T>} work
 * @param {() => string} [amount] what is done so far, such as `120 of 262 MB (46 %)`
 * @returns {Promise<T>}
 */
export async function step(title, work, amount = () => '') {
  const startMs = Date.now();
  const line = () => `${title} ${amount()} ${((Date.now() - startMs) / 1000).toFixed(0)} s`.replace(/ {2,}/g, ' ');
  if (!isTerminal) say(`${title} ...`);
  const timer = setInterval(
    () => (isTerminal ? process.stderr.write(`\r\x1b[K${line()}`) : say(`  ${line()}`)),
    isTerminal ? TERMINAL_INTERVAL_MS : PLAIN_INTERVAL_MS,
  );
  try {
    const result = await work();
    say(`${isTerminal ? '\r\x1b[K' : ''}${title}: done in ${((Date.now() - startMs) / 1000).toFixed(1)} s`);
    return result;
  } catch (error) {
    if (isTerminal) process.stderr.write('\r\x1b[K');
    throw error;
  } finally {
    clearInterval(timer);
  }
}

/**
 * Runs a program to its end and gives its standard output; its messages are shown only when it fails.
 * @param {string} program @param {string[]} args
 * @param {import('node:child_process').SpawnOptions} [options]
 * @returns {Promise<string>}
 */
export function runProgram(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let messages = '';
    child.stdout?.on('data', (chunk) => (output += chunk));
    child.stderr?.on('data', (chunk) => (messages += chunk));
    child.on('error', (error) => reject(new SetupError(`${program} does not start: ${error.message}`)));
    child.on('close', (code, signal) => {
      if (code === 0) resolve(output);
      else reject(new SetupError(`${program} ${args.slice(0, 3).join(' ')} ended with ${signal ?? code}:\n${lastLines(messages || output)}`));
    });
  });
}

/** @param {string} text */
function lastLines(text) {
  return text.trimEnd().split('\n').slice(-15).map((line) => `  ${line}`).join('\n');
}
