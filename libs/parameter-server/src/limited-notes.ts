const INTERVAL_MS = 1000;

/** Lines for the run's log, one a second at most: a peer that fails over and over must not fill it. */
export class LimitedNotes {
  readonly #tell: (message: string) => void;
  readonly #nowMs: () => number;
  #lastMs = -Infinity;
  #suppressed = 0;

  constructor(tell: (message: string) => void, nowMs: () => number = () => performance.now()) {
    this.#tell = tell;
    this.#nowMs = nowMs;
  }

  add(message: string): void {
    const nowMs = this.#nowMs();
    if (nowMs - this.#lastMs < INTERVAL_MS) {
      this.#suppressed += 1;
      return;
    }
    this.#tell(this.#suppressed === 0 ? message : `${message} (and ${this.#suppressed} more since the last such line)`);
    this.#lastMs = nowMs;
    this.#suppressed = 0;
  }
}
