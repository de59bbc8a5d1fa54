import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { LoopMessage, LoopOrder } from '../loops/loop-messages.ts';
import type { Measurement } from '../measurement.ts';

const SCRIPT = fileURLToPath(new URL('../loops/loop-process.ts', import.meta.url));

/** Loops in processes of their own that all run at the same time; their images a second are added. */
export async function runLoops(order: LoopOrder, processes: number, signal: AbortSignal): Promise<Measurement> {
  const loops = Array.from({ length: processes }, () => new LoopProcess(order, signal));
  try {
    await Promise.all(loops.map((loop) => loop.ready));
    for (const loop of loops) loop.go();
    const rates = await Promise.all(loops.map((loop) => loop.done));
    return { examplesPerSecond: rates.reduce((sum, rate) => sum + rate, 0) };
  } finally {
    for (const loop of loops) loop.kill();
  }
}

class LoopProcess {
  readonly #child: ChildProcess;
  readonly #ready = Promise.withResolvers<void>();
  readonly #done = Promise.withResolvers<number>();

  constructor(order: LoopOrder, signal: AbortSignal) {
    this.#done.promise.catch(() => undefined);
    this.#child = fork(SCRIPT, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], signal });
    let lastWords = '';
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => { lastWords = `${lastWords}${text}`.slice(-4000); });
    this.#child.on('message', (message: LoopMessage) => (message.kind === 'ready' ? this.#ready.resolve() : this.#done.resolve(message.examplesPerSecond)));
    this.#child.on('error', (error) => this.#fail(error));
    this.#child.on('close', (code, killedBy) => this.#fail(new Error(`the ${order.kind} loop ended with ${killedBy ?? `exit code ${code}`}:\n${lastWords.trim()}`)));
    this.#child.send(order);
  }

  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Images a second. */
  get done(): Promise<number> {
    return this.#done.promise;
  }

  go(): void {
    this.#child.send('go');
  }

  kill(): void {
    this.#child.kill();
  }

  /** Without effect on what is settled. */
  #fail(error: Error): void {
    this.#ready.reject(error);
    this.#done.reject(error);
  }
}
