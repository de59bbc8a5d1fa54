import { Worker } from 'node:worker_threads';
import { assertNever, LockstepError } from '@lockstep/core';
import type { TreeNode } from '@lockstep/reduction';
import type { EngineCommand, EngineMessage, EngineThreadData } from './engine-messages.ts';

export type ReadyMessage = Extract<EngineMessage, { kind: 'ready' }>;
export type PartialMessage = Extract<EngineMessage, { kind: 'partial' }>;
export type EvaluatedMessage = Extract<EngineMessage, { kind: 'evaluated' }>;

export interface EngineHandleOptions {
  readonly data: EngineThreadData;
  readonly onPartial: (partial: PartialMessage) => void;
  readonly onEvaluated: (evaluated: EvaluatedMessage) => void;
  /** The thread cannot go on. Called once. */
  readonly onFailure: (error: LockstepError) => void;
}

/** The engine thread as the main thread sees it. */
export class EngineHandle {
  readonly #options: EngineHandleOptions;
  readonly #thread: Worker;
  readonly #ready = Promise.withResolvers<ReadyMessage>();
  #stepDone: PromiseWithResolvers<void> | null = null;
  #closed = false;

  /** The process's environment carries the numerics already. */
  constructor(options: EngineHandleOptions) {
    this.#options = options;
    this.#ready.promise.catch(() => undefined);
    this.#thread = new Worker(new URL('./engine-thread.ts', import.meta.url), { workerData: options.data });
    this.#thread.on('message', (message: EngineMessage) => this.#take(message));
    this.#thread.on('error', (error) => this.#fail(new LockstepError('engine', `the engine thread failed: ${error.message}`, { cause: error })));
    this.#thread.on('exit', (code) => this.#fail(new LockstepError('engine', `the engine thread ended with code ${code}`)));
  }

  /** Resolves when the engine is loaded and the model built. */
  get ready(): Promise<ReadyMessage> {
    return this.#ready.promise;
  }

  /** Computes nodes of a step; partials are told as they are ready. Resolves after the last, rejects on failure. */
  computeStep(step: number, nodes: readonly TreeNode[], parameters: Float32Array): Promise<void> {
    this.#stepDone = Promise.withResolvers<void>();
    this.#post({ kind: 'step', step, nodes, parameters });
    return this.#stepDone.promise;
  }

  /** Lets the engine use the time until the next version comes. */
  wait(nextStep: number, node: TreeNode | undefined): void {
    if (node !== undefined) this.#post({ kind: 'wait', nextStep, node });
  }

  evaluate(command: Omit<Extract<EngineCommand, { kind: 'evaluate' }>, 'kind'>): void {
    this.#post({ kind: 'evaluate', ...command });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#thread.terminate();
  }

  #post(command: EngineCommand): void {
    this.#thread.postMessage(command);
  }

  #take(message: EngineMessage): void {
    switch (message.kind) {
      case 'ready': return this.#ready.resolve(message);
      case 'partial': return this.#options.onPartial(message);
      case 'stepDone': return this.#stepDone?.resolve();
      case 'evaluated': return this.#options.onEvaluated(message);
      case 'failed': return this.#fail(new LockstepError(message.code, message.message, message.hint === undefined ? {} : { hint: message.hint }));
      default: return assertNever(message);
    }
  }

  #fail(error: LockstepError): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#ready.reject(error);
    this.#stepDone?.reject(error);
    this.#options.onFailure(error);
  }
}
