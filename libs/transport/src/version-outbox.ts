import type { FrameSocket } from './frame-socket.ts';

/** Something to send whose memory is lent. */
export interface Lent {
  /** Frames, or parts of them, in order. */
  readonly parts: readonly Uint8Array[];
  /** Somebody is to read its memory. */
  hold(): void;
  release(): void;
}

/** Sends versions to one worker, at most one at a time: a worker that lags gets the latest, not a queue of old ones. */
export class VersionOutbox {
  readonly #socket: FrameSocket;
  #next: Lent | null = null;
  #sending = false;

  constructor(socket: FrameSocket) {
    this.#socket = socket;
  }

  offer(version: Lent): void {
    version.hold();
    this.#next?.release();
    this.#next = version;
    if (!this.#sending) void this.#drain();
  }

  async #drain(): Promise<void> {
    this.#sending = true;
    while (this.#next !== null && this.#socket.isOpen) {
      const version = this.#next;
      this.#next = null;
      for (const part of version.parts) await this.#socket.send(part);
      await this.#socket.flushed();
      version.release();
    }
    this.#sending = false;
  }
}
