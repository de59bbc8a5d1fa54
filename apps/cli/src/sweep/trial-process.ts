import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { RunEvent } from '@lockstep/core';

export interface TrialProcessOptions {
  /** What `lockstep` is started with. */
  readonly args: readonly string[];
  /** Besides this process's own environment. */
  readonly environment: NodeJS.ProcessEnv;
  /** Aborted: the process is told to end in order. */
  readonly signal: AbortSignal;
  readonly onEvent: (event: RunEvent) => void;
}

export interface TrialEnd {
  /** Null where a signal ended it. */
  readonly code: number | null;
  /** What it said of why it ended, or how it did. */
  readonly reason: string;
}

const MAIN = fileURLToPath(new URL('trial-main.ts', import.meta.url));
const LAST_WORDS = 4000;

/** Runs a `lockstep` command whose output is JSON lines to its end. It ends when this process does, by whatever cause. */
export async function runTrialProcess({ args, environment, signal, onEvent }: TrialProcessOptions): Promise<TrialEnd> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // A group of its own: Ctrl-C at the terminal is for this process, which tells its trials to end.
    detached: true,
    env: { ...process.env, ...environment, NO_COLOR: '1' },
  });
  const stop = (): boolean => child.kill('SIGTERM');
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  let lastWords = '';
  child.stderr!.on('data', (text: Buffer) => { lastWords = `${lastWords}${text.toString('utf8')}`.slice(-LAST_WORDS); });
  createInterface({ input: child.stdout! }).on('line', (line) => onEvent(JSON.parse(line) as RunEvent));
  const [code, endSignal] = await once(child, 'close') as [number | null, NodeJS.Signals | null];
  signal.removeEventListener('abort', stop);
  return { code, reason: reasonOf(lastWords) ?? `ended with ${endSignal ?? `exit code ${code}`}` };
}

/** What an `error:` line says. */
const reasonOf = (lastWords: string): string | undefined => /^error: (.*)$/m.exec(lastWords)?.[1];
