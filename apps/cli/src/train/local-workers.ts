import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { LockstepError } from '@lockstep/core';

export interface LocalWorkersOptions {
  readonly count: number;
  /** Where the coordinator listens. */
  readonly join: string;
  readonly engine: string;
  /** The GPUs to use, as `CUDA_VISIBLE_DEVICES` names them; each worker is pinned to one, in turn. */
  readonly gpus: readonly string[];
  /** A worker's process ended with another code than 0. */
  readonly onFailure: (error: LockstepError) => void;
}

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));

/** Worker processes of this machine, children of this one: over real gRPC, as if started by hand. */
export class LocalWorkers {
  readonly #children: readonly ChildProcess[];
  #stopping = false;

  constructor(options: LocalWorkersOptions) {
    this.#children = Array.from({ length: options.count }, (_, worker) => this.#spawn(worker, options));
  }

  /** Waits for all to end by themselves; those that have not after `graceMs` are killed. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    const kill = setTimeout(() => this.#children.forEach((child) => child.kill('SIGKILL')), graceMs);
    await Promise.all(this.#children.map(exited));
    clearTimeout(kill);
  }

  #spawn(worker: number, { join, engine, gpus, onFailure }: LocalWorkersOptions): ChildProcess {
    const pinned = gpus.length === 0 ? {} : { CUDA_VISIBLE_DEVICES: gpus[worker % gpus.length] };
    const child = spawn(process.execPath, [MAIN, 'worker', '--join', join, '--engine', engine], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...pinned },
    });
    let lastWords = '';
    child.stderr?.on('data', (text: Buffer) => {
      lastWords = `${lastWords}${text.toString('utf8')}`.slice(-4000);
    });
    child.once('exit', (code, signal) => {
      if (this.#stopping || code === 0) return;
      const how = signal === null ? `exit code ${code}` : signal;
      onFailure(new LockstepError('worker-lost', `a worker (process ${child.pid}) ended with ${how}${lastWords === '' ? '' : `:\n${lastWords.trim()}`}`));
    });
    return child;
  }
}

function exited(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => child.once('exit', () => resolve()));
}
