import type { PartialIntake, ReadBytes } from '@lockstep/transport';

/** Puts a partial that arrives in order in one place, and gives it away when it is whole. */
export class WholeIntake implements PartialIntake {
  readonly #destination: Uint8Array;
  readonly #onWhole: () => void;
  readonly #onAbandoned: () => void;
  #received = 0;

  constructor(destination: Uint8Array, onWhole: () => void, onAbandoned: () => void) {
    this.#destination = destination;
    this.#onWhole = onWhole;
    this.#onAbandoned = onAbandoned;
  }

  take(count: number, read: ReadBytes): boolean {
    if (!read(this.#received, this.#destination.subarray(this.#received, this.#received + count))) return false;
    this.#received += count;
    if (this.#received === this.#destination.length) this.#onWhole();
    return true;
  }

  abandon(): void {
    this.#onAbandoned();
  }
}
