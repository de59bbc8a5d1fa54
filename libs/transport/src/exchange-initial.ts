import type { WorkerStream } from './worker-stream.ts';

/**
 * Asks the workers for the initial parameters, one at a time: another where a stream ends before they are whole, or
 * brings nothing for a while. All workers would send the same bytes.
 */
export class InitialRequest {
  readonly #isNeeded: () => boolean;
  readonly #askNextAfterMs: number;
  readonly #asked = new Set<WorkerStream>();
  #waiting: WorkerStream[] = [];
  /** Runs while the worker that was asked last may still answer in time. */
  #timer: NodeJS.Timeout | null = null;

  constructor(isNeeded: () => boolean, askNextAfterMs: number) {
    this.#isNeeded = isNeeded;
    this.#askNextAfterMs = askNextAfterMs;
  }

  opened(worker: WorkerStream): void {
    if (!this.#isNeeded()) return;
    this.#waiting.push(worker);
    if (this.#timer === null) this.#askNext();
  }

  ended(worker: WorkerStream): void {
    this.#waiting = this.#waiting.filter((other) => other !== worker);
    if (this.#asked.delete(worker) && this.#asked.size === 0) this.#askNext();
  }

  wasAsked(worker: WorkerStream): boolean {
    return this.#asked.has(worker);
  }

  close(): void {
    this.#stopTimer();
    this.#waiting = [];
  }

  #askNext(): void {
    this.#stopTimer();
    const worker = this.#waiting.shift();
    if (worker === undefined || !this.#isNeeded()) return;
    this.#asked.add(worker);
    worker.askForInitial();
    this.#timer = setTimeout(() => this.#askNext(), this.#askNextAfterMs);
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
