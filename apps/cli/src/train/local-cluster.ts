import { LockstepError } from '@lockstep/core';
import { describeEnd, LocalProcesses, type ProcessEnd } from './local-processes.ts';

export interface LocalClusterOptions {
  readonly workers: number;
  readonly parameterServers: number;
  /** Where the coordinator listens. */
  readonly join: string;
  readonly engine: string;
  readonly sharedMemory: boolean;
  /** The GPUs to use, as `CUDA_VISIBLE_DEVICES` names them; each worker is pinned to one, in turn. */
  readonly gpus: readonly string[];
  /** The run ends: nothing is replaced any more. */
  readonly signal: AbortSignal;
  readonly onLog: (message: string) => void;
  /** Processes end again and again: the run cannot go on. */
  readonly onFailure: (error: LockstepError) => void;
}

/** A process that ends is replaced, so often in a run; what ends oftener has a cause of its own. */
const MAX_RESTARTS = 10;

/** The processes of `lockstep train` besides its own: workers and parameter servers, each replaced when it ends before the run does. */
export class LocalCluster {
  readonly #options: LocalClusterOptions;
  readonly #processes: LocalProcesses[] = [];
  #restarts = 0;
  #stopping = false;

  constructor(options: LocalClusterOptions) {
    this.#options = options;
    for (let server = 0; server < options.parameterServers; server += 1) this.#startServer();
    for (let worker = 0; worker < options.workers; worker += 1) this.#startWorker(worker);
  }

  /** Waits for all to end by themselves; those that have not after `graceMs` are killed. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#processes.map((process) => process.stop(graceMs)));
  }

  #startWorker(worker: number): void {
    const { join, engine, gpus } = this.#options;
    const pinned = gpus.length === 0 ? {} : { CUDA_VISIBLE_DEVICES: gpus[worker % gpus.length] };
    this.#start('a worker', ['worker', '--join', join, '--engine', engine], pinned, () => this.#startWorker(worker));
  }

  #startServer(): void {
    const { join, sharedMemory } = this.#options;
    this.#start('a parameter server', ['parameter-server', '--join', join, ...(sharedMemory ? [] : ['--no-shared-memory'])], {}, () => this.#startServer());
  }

  #start(what: string, args: readonly string[], environment: NodeJS.ProcessEnv, again: () => void): void {
    this.#processes.push(new LocalProcesses({ count: 1, args, environment: () => environment, onExit: (end) => this.#replace(what, end, again) }));
  }

  /** One that was told to end has ended in order. */
  #replace(what: string, end: ProcessEnd, again: () => void): void {
    if (this.#stopping || this.#options.signal.aborted || end.code === 0) return;
    this.#restarts += 1;
    if (this.#restarts > MAX_RESTARTS) return this.#options.onFailure(new LockstepError('worker-lost', `${describeEnd(what, end)}; ${MAX_RESTARTS} processes were replaced before`));
    this.#options.onLog(`${describeEnd(what, end)}; another takes its place`);
    again();
  }
}
