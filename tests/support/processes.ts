import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { RunEvent } from '@lockstep/core';

const MAIN = fileURLToPath(new URL('../../apps/cli/src/main.ts', import.meta.url));

export interface Ended {
  readonly exitCode: number | null;
  readonly stderr: string;
  /** What a `--json` command printed. */
  readonly events: readonly RunEvent[];
}

export interface StartOptions {
  /** A command, with its first arguments, that starts the process it is given. */
  readonly launcher?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Told of each line that the process prints, when it comes. */
  readonly onLine?: (line: string, stream: 'stdout' | 'stderr') => void;
}

/** A `lockstep` process under way, with its JSON events as they come. */
export class LockstepProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  readonly #events: RunEvent[] = [];
  readonly #waiting: { readonly matches: (event: RunEvent) => boolean; readonly resolve: (event: RunEvent) => void; readonly reject: (error: Error) => void }[] = [];

  constructor(args: readonly string[], { launcher = [], env = {}, onLine }: StartOptions = {}) {
    const [command = '', ...rest] = [...launcher, process.execPath, MAIN, ...args];
    const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1', ...env } });
    this.child = child;
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text; });
    createInterface({ input: child.stdout }).on('line', (line) => this.#take(line));
    if (onLine !== undefined) {
      for (const stream of ['stdout', 'stderr'] as const) createInterface({ input: child[stream] }).on('line', (line) => onLine(line, stream));
    }
    this.ended = new Promise((resolve, reject) => {
      child.on('error', reject).on('close', (exitCode) => {
        for (const { reject: refuse } of this.#waiting) refuse(new Error(`the process ended with ${exitCode} before the awaited event: ${stderr}`));
        resolve({ exitCode, stderr, events: this.#events });
      });
    });
  }

  /** The first event that matches, past or to come; rejects when the process ends without it. */
  event<Kind extends RunEvent['event']>(kind: Kind, where: (event: Extract<RunEvent, { event: Kind }>) => boolean = () => true): Promise<Extract<RunEvent, { event: Kind }>> {
    type Wanted = Extract<RunEvent, { event: Kind }>;
    const matches = (event: RunEvent): boolean => event.event === kind && where(event as Wanted);
    const past = this.#events.find(matches);
    if (past !== undefined) return Promise.resolve(past as Wanted);
    return new Promise((resolve, reject) => this.#waiting.push({ matches, resolve: (event) => resolve(event as Wanted), reject }));
  }

  #take(line: string): void {
    if (!line.startsWith('{')) return;
    const event = JSON.parse(line) as RunEvent;
    this.#events.push(event);
    for (const { matches, resolve } of this.#waiting) if (matches(event)) resolve(event);
  }
}

/** Runs a `lockstep` command with `--json` to its end. */
export function lockstepEvents(...args: readonly string[]): Promise<Ended> {
  return new LockstepProcess([...args, '--json']).ended;
}
