import type { FrameSocket } from './frame-socket.ts';
import type { OutgoingVersion, VersionReader } from './outgoing-version.ts';

/** Sends versions to one worker, one at a time, each as it is made: a worker that lags gets the latest next, not a queue of old ones. */
export class VersionOutbox implements VersionReader {
  readonly #socket: FrameSocket;
  #current: OutgoingVersion | null = null;
  #numSent = 0;
  #next: OutgoingVersion | null = null;
  #isSending = false;

  constructor(socket: FrameSocket) {
    this.#socket = socket;
  }

  offer(version: OutgoingVersion): void {
    version.hold(this);
    this.#next?.release(this);
    this.#next = version;
    this.wake();
  }

  wake(): void {
    if (!this.#isSending) void this.#drain();
  }

  async #drain(): Promise<void> {
    this.#isSending = true;
    while (this.#socket.isOpen && this.#begin()) {
      const part = this.#current?.parts[this.#numSent];
      if (part !== undefined) {
        this.#numSent += 1;
        await this.#socket.send(part);
      } else if (this.#current?.isComplete === true) await this.#end(this.#current);
      else break;
    }
    this.#isSending = false;
  }

  /** False where there is nothing to send. */
  #begin(): boolean {
    if (this.#current !== null) return true;
    this.#current = this.#next;
    this.#next = null;
    this.#numSent = 0;
    return this.#current !== null;
  }

  async #end(version: OutgoingVersion): Promise<void> {
    await this.#socket.flushed();
    this.#current = null;
    version.release(this);
  }
}
