import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Numerics } from '@lockstep/core';
import { numericsEnvironment } from '@lockstep/engine';

/** What the native library says when it loads, whatever its log level. */
const NOTICES = [/^WARNING: All log messages before absl::InitializeLog/, /oneDNN custom operations are on/];

/**
 * Runs `compute` in a process that has the environment of `numerics` from its start, which is when the native library reads
 * it: in this one, or else in one more of the same command, whose exit code becomes this one's.
 */
export async function inEngineProcess(numerics: Numerics, compute: () => Promise<void>): Promise<void> {
  const environment = numericsEnvironment(numerics);
  const isSet = Object.entries(environment).every(([name, value]) => process.env[name] === value);
  if (isSet) return compute();
  const child = spawn(process.execPath, process.argv.slice(1), {
    env: { ...process.env, ...environment }, stdio: ['inherit', 'inherit', 'pipe'],
  });
  for await (const line of createInterface({ input: child.stderr })) {
    if (!NOTICES.some((notice) => notice.test(line))) process.stderr.write(`${line}\n`);
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  process.exitCode = child.exitCode ?? 1;
}
