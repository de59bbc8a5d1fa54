import { Heap } from './heap.ts';

interface Event {
  readonly atMs: number;
  /** Of events at the same time the one that was asked for first comes first, so a run is the same every time. */
  readonly number: number;
  readonly happen: () => void;
}

/** The clock of a simulation: what is to happen, in order. */
export class EventQueue {
  #nowMs = 0;
  #count = 0;
  readonly #events = new Heap<Event>((a, b) => a.atMs < b.atMs || (a.atMs === b.atMs && a.number < b.number));

  get nowMs(): number {
    return this.#nowMs;
  }

  at(atMs: number, happen: () => void): void {
    this.#events.add({ atMs: Math.max(atMs, this.#nowMs), number: this.#count, happen });
    this.#count += 1;
  }

  after(ms: number, happen: () => void): void {
    this.at(this.#nowMs + ms, happen);
  }

  /** Lets the time pass until it is done; a simulation in which nothing can happen any more is a mistake in it. */
  runUntil(isDone: () => boolean): void {
    while (!isDone()) {
      const event = this.#events.take();
      if (event === undefined) throw new Error('nothing is left that could happen');
      this.#nowMs = event.atMs;
      event.happen();
    }
  }
}
