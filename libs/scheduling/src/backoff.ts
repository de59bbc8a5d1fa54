const FIRST_MS = 50;
const LONGEST_MS = 1000;
/** A connection that stood for so long was a good one. */
const STOOD_MS = 1000;

/**
 * How long to wait before connecting again, in milliseconds: up to 50 ms at attempt 0, doubling up to 1 s, with full
 * jitter (a draw from `random`, in [0, 1)), so that those who lost the same server do not come back together; at least a
 * tenth, so that nobody hammers. Full jitter: Brooker, "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015).
 */
export function backoffMs(attempt: number, random: () => number): number {
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt) * (0.1 + 0.9 * random());
}

/** The waits of one connection that is made again whenever it breaks. After one that stood for a second they begin anew; a server that lets in and throws out does not shorten them. */
export class Backoff {
  readonly #random: () => number;
  #attempt = 0;
  #openedMs: number | null = null;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  opened(nowMs: number): void {
    this.#openedMs = nowMs;
  }

  /** It broke, or could not be made: the milliseconds to wait, and how many attempts have failed before since it stood last. */
  broke(nowMs: number): { readonly waitMs: number; readonly attempt: number } {
    if (this.#openedMs !== null && nowMs - this.#openedMs > STOOD_MS) this.#attempt = 0;
    this.#openedMs = null;
    const attempt = this.#attempt;
    this.#attempt += 1;
    return { waitMs: backoffMs(attempt, this.#random), attempt };
  }
}
