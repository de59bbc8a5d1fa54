const FIRST_MS = 50;
const LONGEST_MS = 1000;

/**
 * How long to wait before connecting again, in milliseconds: up to 50 ms at attempt 0, doubling up to 1 s, with full
 * jitter (a draw from `random`, in [0, 1)), so that those who lost the same server do not come back together; at least a
 * tenth, so that nobody hammers. Full jitter: Brooker, "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015).
 */
export function backoffMs(attempt: number, random: () => number): number {
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt) * (0.1 + 0.9 * random());
}
