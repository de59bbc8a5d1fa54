/** Somebody who is sent a version while it is made. */
export interface VersionReader {
  /** There is more to send. */
  wake(): void;
}

/**
 * A version on its way to the workers that get its bytes by the same carrier: what is made of it is sent while the rest is
 * still to come.
 */
export class OutgoingVersion {
  /** Frames, or parts of them, in order; more come until it is complete. */
  readonly parts: Uint8Array[] = [];
  readonly #numBytes: number;
  readonly #leastBytes: number;
  readonly #framesOf: (offset: number, bytes: Uint8Array) => readonly Uint8Array[];
  readonly #onUnused: () => void;
  readonly #readers = new Set<VersionReader>();
  #made = 0;
  #isRetired = false;

  /** `framesOf` its bytes from an offset on, asked for in order and of `leastBytes` at least, but for the last; `onUnused` once it is retired and nobody reads what it gave any more. */
  constructor(numBytes: number, leastBytes: number, framesOf: (offset: number, bytes: Uint8Array) => readonly Uint8Array[], onUnused: () => void = () => undefined) {
    this.#numBytes = numBytes;
    this.#leastBytes = leastBytes;
    this.#framesOf = framesOf;
    this.#onUnused = onUnused;
  }

  get isComplete(): boolean {
    return this.parts.length > 0 && this.#made === this.#numBytes;
  }

  /** The first `made` bytes of the parameters are this version's. */
  grow(parameters: Uint8Array, made: number): void {
    if (this.isComplete || (made < this.#numBytes && made - this.#made < this.#leastBytes)) return;
    this.parts.push(...this.#framesOf(this.#made, parameters.subarray(this.#made, made)));
    this.#made = made;
    for (const reader of this.#readers) reader.wake();
  }

  hold(reader: VersionReader): void {
    this.#readers.add(reader);
  }

  release(reader: VersionReader): void {
    this.#readers.delete(reader);
    if (this.#isRetired && this.#readers.size === 0) this.#onUnused();
  }

  /** There is a newer one: it gets no reader any more. */
  retire(): void {
    this.#isRetired = true;
    if (this.#readers.size === 0) this.#onUnused();
  }
}
