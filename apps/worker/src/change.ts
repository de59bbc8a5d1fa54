/** Lets a loop sleep until something that it looks at may have changed. */
export class Change {
  #waiting: PromiseWithResolvers<void> | null = null;

  notify(): void {
    this.#waiting?.resolve();
    this.#waiting = null;
  }

  /** Resolves at the next change, rejects with the signal's reason. */
  async next(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const waiting = (this.#waiting ??= Promise.withResolvers<void>());
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      await Promise.race([waiting.promise, aborted]);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }
}
