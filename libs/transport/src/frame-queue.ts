import type { FrameSocket } from './frame-socket.ts';

/** Writes frames, or parts of them, to a tensor stream one after another, in the order of `add`, as fast as the other side takes them. */
export class FrameQueue {
  readonly #socket: FrameSocket;
  readonly #onWritten: () => void;
  #parts: Uint8Array[] = [];
  #writing = false;
  #closed = false;

  constructor(socket: FrameSocket, onWritten: () => void = () => undefined) {
    this.#socket = socket;
    this.#onWritten = onWritten;
  }

  add(parts: readonly Uint8Array[]): void {
    if (this.#closed) return;
    this.#parts.push(...parts);
    if (!this.#writing) void this.#write();
  }

  /** Ends the stream; what was added and not yet written is dropped. */
  close(): void {
    this.#closed = true;
    this.#parts = [];
    this.#socket.close();
  }

  async #write(): Promise<void> {
    this.#writing = true;
    while (this.#parts.length > 0 && this.#socket.isOpen) {
      const parts = this.#parts;
      this.#parts = [];
      for (const part of parts) {
        if (this.#closed) return;
        await this.#socket.send(part);
        this.#onWritten();
      }
    }
    this.#writing = false;
  }
}
