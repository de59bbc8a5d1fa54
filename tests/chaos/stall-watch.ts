import type { Progress } from './progress.ts';

/** Of a run that neither gets on nor ends; a worker's start takes some seconds of it, and many on a busy machine. */
const STALLED_MS = 60_000;
/** However it advances. */
const LIMIT_MS = 300_000;

/** Ends every wait for a run that hangs. */
export class StallWatch implements Disposable {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly signal: AbortSignal;

  /** `outer`, when it is aborted, ends the waits too. */
  constructor(progress: Progress, outer: AbortSignal) {
    const startedMs = performance.now();
    this.signal = AbortSignal.any([this.#controller.signal, outer]);
    this.#timer = setInterval(() => {
      const nowMs = performance.now();
      if (nowMs - progress.advancedMs > STALLED_MS) this.abort(new Error(`hang: nothing after step ${progress.highestStep} for ${STALLED_MS / 1000} s; the last word: ${progress.lastWord}`));
      else if (nowMs - startedMs > LIMIT_MS) this.abort(new Error(`hang: still at step ${progress.highestStep} after ${LIMIT_MS / 1000} s; the last word: ${progress.lastWord}`));
    }, 250);
  }

  abort(reason: Error): void {
    this.#controller.abort(reason);
  }

  async within<T>(work: Promise<T>): Promise<T> {
    return within(work, this.signal);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/** What `work` gives, unless `signal` is aborted first. */
export async function within<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason as Error);
  signal.addEventListener('abort', abort);
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
