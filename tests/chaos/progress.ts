import type { RunEvent } from '@lockstep/core';

export interface TimedEvent {
  readonly event: RunEvent;
  /** When it came, on the clock of `performance.now()`. */
  readonly atMs: number;
}

/** What the coordinators of a run, one after another, have told of it. */
export class Progress {
  readonly events: TimedEvent[] = [];
  /** The highest step that has finished; -1 before the first. */
  highestStep = -1;
  /** When the run last got on: a step higher than all before it finished, a process came, the shards were placed. */
  advancedMs = performance.now();
  /** Steps that a return to a checkpoint threw away. */
  stepsLost = 0;
  #generation: number | null = null;
  readonly #waiting = new Set<(timed: TimedEvent) => void>();

  record(event: RunEvent): void {
    const timed = { event, atMs: performance.now() };
    this.events.push(timed);
    if (event.event === 'step' && event.step > this.highestStep) {
      this.highestStep = event.step;
      this.advancedMs = timed.atMs;
    }
    if (event.event === 'start' || event.event === 'worker' || event.event === 'shards') this.advancedMs = timed.atMs;
    if (event.event === 'shards') this.#countLost(event.generation, event.version);
    for (const tell of this.#waiting) tell(timed);
  }

  get ended(): boolean {
    return this.events.some(({ event }) => event.event === 'end');
  }

  /** What the log said last. */
  get lastWord(): string {
    const last = this.events.findLast(({ event }) => event.event === 'log');
    return last?.event.event === 'log' ? last.event.message : 'no word of why';
  }

  /** When such an event came, past or to come; rejects when `signal` is aborted first. */
  async first(matches: (event: RunEvent) => boolean, signal: AbortSignal): Promise<number> {
    const past = this.events.find(({ event }) => matches(event));
    if (past !== undefined) return past.atMs;
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const tell = ({ event, atMs }: TimedEvent) => matches(event) && resolve(atMs);
    const abort = () => reject(signal.reason as Error);
    this.#waiting.add(tell);
    signal.addEventListener('abort', abort);
    try {
      return await promise;
    } finally {
      this.#waiting.delete(tell);
      signal.removeEventListener('abort', abort);
    }
  }

  /** When `step`, or one after it, or the run's end, was told of. */
  reached(step: number, signal: AbortSignal): Promise<number> {
    return this.first((event) => (event.event === 'step' && event.step >= step) || event.event === 'end', signal);
  }

  /** A new generation starts from an earlier version than the one that had been reached: what lies between is done again. */
  #countLost(generation: number, version: number): void {
    if (this.#generation !== null && generation > this.#generation) this.stepsLost += Math.max(0, this.highestStep + 1 - version);
    this.#generation = generation;
  }
}
