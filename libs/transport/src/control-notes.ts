const BURST = 10;
const REFILL_MS = 1_000;

export type NoteLevel = 'info' | 'warn';
export type OnNote = (level: NoteLevel, message: string) => void;

/** Passes a server's notes on, ten at once and then one a second: a peer that misbehaves all the time fills no log. */
export class ControlNotes {
  readonly #onNote: OnNote;
  #left = BURST;
  #refilledMs = performance.now();
  #suppressed = 0;

  constructor(onNote: OnNote) {
    this.#onNote = onNote;
  }

  warn(message: string): void {
    const nowMs = performance.now();
    const refills = Math.floor((nowMs - this.#refilledMs) / REFILL_MS);
    this.#left = Math.min(BURST, this.#left + refills);
    this.#refilledMs += refills * REFILL_MS;
    if (this.#left === 0) {
      this.#suppressed += 1;
      return;
    }
    this.#left -= 1;
    this.#onNote('warn', this.#suppressed === 0 ? message : `${message} (and ${this.#suppressed} more such notes)`);
    this.#suppressed = 0;
  }
}
