import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { assertNever, LockstepError } from '@lockstep/core';
import type { TreeNode } from '@lockstep/reduction';
import type { EngineCommand, EngineMessage, EngineThreadData } from './engine-messages.ts';

export type ReadyMessage = Extract<EngineMessage, { kind: 'ready' }>;
export type PartialMessage = Extract<EngineMessage, { kind: 'partial' }>;
export type EvaluatedMessage = Extract<EngineMessage, { kind: 'evaluated' }>;
type EvaluateCommand = Extract<EngineCommand, { kind: 'evaluate' }>;

export interface EngineHandleOptions {
  readonly data: Omit<EngineThreadData, 'useless'>;
  readonly onPartial: (partial: PartialMessage) => void;
  readonly onEvaluated: (evaluated: EvaluatedMessage) => void;
  /** The thread cannot go on. Called once. */
  readonly onFailure: (error: LockstepError) => void;
}

/** For the engine to load, build the model and compute a first gradient, on a busy machine. */
const LOADING_MS = 10_000;

/** The engine thread as the main thread sees it. */
export class EngineHandle {
  readonly #options: EngineHandleOptions;
  readonly #thread: Worker;
  readonly #exited: Promise<unknown>;
  readonly #ready = Promise.withResolvers<ReadyMessage>();
  readonly #useless = new Int32Array(new SharedArrayBuffer(4));
  #number = 0;
  #computed: PromiseWithResolvers<void> | null = null;
  #frozen: PromiseWithResolvers<readonly Float32Array[]> | null = null;
  #closed = false;

  /** The process's environment carries the numerics already. */
  constructor(options: EngineHandleOptions) {
    this.#options = options;
    this.#ready.promise.catch(() => undefined);
    this.#thread = new Worker(new URL('./engine-thread.ts', import.meta.url), { workerData: { ...options.data, useless: this.#useless } satisfies EngineThreadData });
    this.#exited = once(this.#thread, 'exit').catch(() => undefined);
    this.#thread.on('message', (message: EngineMessage) => this.#take(message));
    this.#thread.on('error', (error) => this.#fail(new LockstepError('engine', `the engine thread failed: ${error.message}`, { cause: error })));
    this.#thread.on('exit', (code) => this.#fail(new LockstepError('engine', `the engine thread ended with code ${code}`)));
  }

  /** Resolves when the engine is loaded, the model built and a first gradient computed. */
  get ready(): Promise<ReadyMessage> {
    return this.#ready.promise;
  }

  /** Computes nodes of a step; partials are told as they are ready. Resolves after the last, or the interruption; rejects on failure. */
  compute(work: { readonly step: number; readonly begins: boolean; readonly nodes: readonly TreeNode[]; readonly parameters: Float32Array }): Promise<void> {
    this.#number += 1;
    this.#computed = Promise.withResolvers<void>();
    this.#post({ kind: 'compute', number: this.#number, ...work });
    return this.#computed.promise;
  }

  /** What was asked for is of no use any more: no partial of it is told from now on. */
  interrupt(): void {
    Atomics.store(this.#useless, 0, this.#number);
  }

  /** Lets the engine use the time until the next version comes. */
  wait(nextStep: number, node: TreeNode | undefined): void {
    if (node !== undefined) this.#post({ kind: 'wait', nextStep, node });
  }

  /** The values of each frozen tensor, in the model's order. */
  readFrozen(): Promise<readonly Float32Array[]> {
    if (this.#frozen === null) this.#post({ kind: 'readFrozen' });
    this.#frozen ??= Promise.withResolvers();
    return this.#frozen.promise;
  }

  evaluate(command: Omit<EvaluateCommand, 'kind'>): void {
    this.#post({ kind: 'evaluate', ...command });
  }

  /** A thread that is stopped while the native library loads takes the process with it (a segmentation fault), so that is waited for. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.race([this.#ready.promise.catch(() => undefined), this.#exited, delay(LOADING_MS, null, { ref: false })]);
    await this.#thread.terminate();
  }

  #post(command: EngineCommand): void {
    this.#thread.postMessage(command);
  }

  #take(message: EngineMessage): void {
    switch (message.kind) {
      case 'ready': return this.#ready.resolve(message);
      case 'partial': return this.#tellPartial(message);
      case 'computed': return this.#computed?.resolve();
      case 'frozen': return this.#tellFrozen(message.values);
      case 'evaluated': return this.#options.onEvaluated(message);
      case 'failed': return this.#fail(new LockstepError(message.code, message.message, message.hint === undefined ? {} : { hint: message.hint }));
      default: return assertNever(message);
    }
  }

  /** They are not kept in this thread too. */
  #tellFrozen(values: readonly Float32Array[]): void {
    this.#frozen?.resolve(values);
    this.#frozen = null;
  }

  #tellPartial(partial: PartialMessage): void {
    if (partial.number > Atomics.load(this.#useless, 0)) this.#options.onPartial(partial);
  }

  #fail(error: LockstepError): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#ready.reject(error);
    this.#computed?.reject(error);
    this.#frozen?.reject(error);
    this.#options.onFailure(error);
  }
}
