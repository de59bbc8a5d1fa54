import type { EventQueue } from './event-queue.ts';
import { Heap } from './heap.ts';

interface Use {
  /** The service to each sharer at which it is done. */
  readonly doneAt: number;
  readonly sharers: number;
  done: (() => void) | null;
}

/** Ends a use before its time. */
export type Cancel = () => void;

/** What is served within a nanosecond is served: floats do not add up exactly. */
const TOLERANCE_MS = 1e-6;

/**
 * Something that all who use it at once share evenly: a network link, a thread, a host's cores. What one sharer is served
 * a millisecond depends on how many there are. (Generalised processor sharing: all are served alike, so one sum of the
 * service to each is enough, and each use knows the sum at which it is done.)
 */
export class SharedResource {
  readonly #queue: EventQueue;
  readonly #ratePerMs: (sharers: number) => number;
  readonly #uses = new Heap<Use>((a, b) => a.doneAt < b.doneAt);
  #sharers = 0;
  #served = 0;
  #servedAtMs = 0;
  #looksAtMs = Infinity;

  constructor(queue: EventQueue, ratePerMs: (sharers: number) => number) {
    this.#queue = queue;
    this.#ratePerMs = ratePerMs;
  }

  /** Does `work` in all, in as many equal parts as there are `sharers`, and tells when the last is done. */
  use(work: number, done: () => void, sharers = 1): Cancel {
    this.#serve();
    const use: Use = { doneAt: this.#served + work / sharers, sharers, done };
    this.#sharers += sharers;
    this.#uses.add(use);
    this.#lookAgain();
    return () => this.#cancel(use);
  }

  #cancel(use: Use): void {
    if (use.done === null) return;
    this.#serve();
    use.done = null;
    this.#sharers -= use.sharers;
    this.#lookAgain();
  }

  #serve(): void {
    const { nowMs } = this.#queue;
    if (this.#sharers > 0) this.#served += (nowMs - this.#servedAtMs) * this.#ratePerMs(this.#sharers);
    else this.#served = 0;
    this.#servedAtMs = nowMs;
  }

  /** A look that comes too early finds nothing, and asks for another. */
  #lookAgain(): void {
    this.#dropCancelled();
    const next = this.#uses.least;
    if (next === undefined) return;
    const atMs = this.#queue.nowMs + Math.max(0, next.doneAt - this.#served) / this.#ratePerMs(this.#sharers);
    if (atMs >= this.#looksAtMs) return;
    this.#looksAtMs = atMs;
    this.#queue.at(atMs, () => this.#look(atMs));
  }

  #look(atMs: number): void {
    if (atMs !== this.#looksAtMs) return;
    this.#looksAtMs = Infinity;
    this.#serve();
    const reached = this.#served + TOLERANCE_MS * this.#ratePerMs(Math.max(1, this.#sharers));
    const finished: (() => void)[] = [];
    for (let use = this.#uses.least; use !== undefined && (use.done === null || use.doneAt <= reached); use = this.#uses.least) {
      this.#uses.take();
      if (use.done === null) continue;
      this.#sharers -= use.sharers;
      finished.push(use.done);
      use.done = null;
    }
    this.#lookAgain();
    for (const done of finished) done();
  }

  #dropCancelled(): void {
    while (this.#uses.least?.done === null) this.#uses.take();
  }
}
