#!/usr/bin/env node
import { enableCompileCache, getCompileCacheDir } from 'node:module';
import { exitCodeOf, printError } from './print-error.ts';
import { buildProgram } from './program.ts';

enableCompileCache();
// Threads and child processes use it too, by their environment.
const compileCache = getCompileCacheDir();
if (compileCache !== undefined) process.env['NODE_COMPILE_CACHE'] ??= compileCache;
// A reader that goes away, such as `head`, ends the command; it is no failure of the run.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
}

try {
  const program = await buildProgram(process.argv.slice(2));
  await program.parseAsync(process.argv);
} catch (thrown) {
  printError(thrown);
  process.exitCode = exitCodeOf(thrown);
}

// A socket to a peer that hangs must not keep a command alive that has ended.
setTimeout(() => process.exit(), 1000).unref();
