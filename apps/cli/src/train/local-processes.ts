import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface ProcessEnd {
  readonly pid: number;
  /** Null where a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The end of what it wrote to stderr. */
  readonly lastWords: string;
}

export interface LocalProcessesOptions {
  readonly count: number;
  /** What `lockstep` is started with. */
  readonly args: readonly string[];
  /** Besides this process's own environment, of process `index`. */
  readonly environment?: (index: number) => NodeJS.ProcessEnv;
  /** A process has ended that was not told to by `stop`. Whether the run can go on without it is the coordinator's to decide. */
  readonly onExit: (end: ProcessEnd) => void;
}

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const LAST_WORDS = 4000;

/**
 * Workers or parameter servers of this machine, children of this process: over real gRPC, as if started by hand. They
 * end when this process does, by whatever cause: each holds a channel to it that the system closes.
 */
export class LocalProcesses {
  readonly #options: LocalProcessesOptions;
  readonly #children: readonly ChildProcess[];
  #stopping = false;

  constructor(options: LocalProcessesOptions) {
    this.#options = options;
    this.#children = Array.from({ length: options.count }, (_, index) => this.#spawn(index));
  }

  /** Waits for all to end by themselves; those that have not after `graceMs` are killed. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    const kill = setTimeout(() => this.#children.forEach((child) => child.kill('SIGKILL')), graceMs);
    await Promise.all(this.#children.map(exited));
    clearTimeout(kill);
  }

  #spawn(index: number): ChildProcess {
    const { args, environment, onExit } = this.#options;
    const child = spawn(process.execPath, [MAIN, ...args], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      // A group of its own: Ctrl-C at the terminal is for this process, which ends its children in order.
      detached: true,
      env: { ...process.env, ...environment?.(index) },
    });
    // Nothing is ever said on it, so it need not keep this process alive.
    child.channel?.unref();
    let lastWords = '';
    child.stderr?.on('data', (text: Buffer) => {
      lastWords = `${lastWords}${text.toString('utf8')}`.slice(-LAST_WORDS);
    });
    child.once('close', (code, signal) => {
      if (!this.#stopping) onExit({ pid: child.pid ?? 0, code, signal, lastWords: lastWords.trim() });
    });
    return child;
  }
}

/** `a worker (process 4711) ended with SIGKILL`; one that ended by itself has said why. */
export function describeEnd(what: string, { pid, code, signal, lastWords }: ProcessEnd): string {
  return `${what} (process ${pid}) ended with ${signal ?? `exit code ${code}`}${signal !== null || lastWords === '' ? '' : `:\n${lastWords}`}`;
}

function exited(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => child.once('exit', () => resolve()));
}
