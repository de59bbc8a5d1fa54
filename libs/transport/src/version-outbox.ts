import { writeFrame, type ExchangeServerStream } from './exchange-service.ts';

/** Sends versions to one worker, at most one at a time: a worker that lags gets the latest, not a queue of old ones. */
export class VersionOutbox {
  readonly #stream: ExchangeServerStream;
  #next: readonly Buffer[] | null = null;
  #sending = false;

  constructor(stream: ExchangeServerStream) {
    this.#stream = stream;
  }

  offer(frames: readonly Buffer[]): void {
    this.#next = frames;
    if (!this.#sending) void this.#drain();
  }

  async #drain(): Promise<void> {
    this.#sending = true;
    while (this.#next !== null && !this.#stream.destroyed && !this.#stream.cancelled) {
      const frames = this.#next;
      this.#next = null;
      for (const frame of frames) await writeFrame(this.#stream, frame);
    }
    this.#sending = false;
  }
}
