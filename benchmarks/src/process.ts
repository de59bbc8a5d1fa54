import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface ProcessOptions {
  readonly signal: AbortSignal;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a program to its end and gives its standard output. Throws with its last words where it failed. */
export async function runProcess(command: string, args: readonly string[], { signal, env = {} }: ProcessOptions): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env }, signal });
  let output = '';
  let lastWords = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => { output += text; });
  child.stderr.setEncoding('utf8').on('data', (text: string) => { lastWords = `${lastWords}${text}`.slice(-4000); });
  const [code, killedBy] = await once(child, 'close') as [number | null, NodeJS.Signals | null];
  if (code !== 0) throw new Error(`${[command, ...args].join(' ')} ended with ${killedBy ?? `exit code ${code}`}:\n${lastWords.trim()}`);
  return output;
}
