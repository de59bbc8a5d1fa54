import { writeFrame, type ExchangeClientStream } from './exchange-service.ts';

/** Writes frames to a stream one after another, in the order of `add`, as fast as the other side takes them. */
export class FrameQueue {
  readonly #stream: ExchangeClientStream;
  readonly #onWritten: () => void;
  #frames: Buffer[] = [];
  #writing = false;
  #closed = false;

  constructor(stream: ExchangeClientStream, onWritten: () => void = () => undefined) {
    this.#stream = stream;
    this.#onWritten = onWritten;
  }

  add(frames: readonly Buffer[]): void {
    if (this.#closed) return;
    this.#frames.push(...frames);
    if (!this.#writing) void this.#write();
  }

  /** Ends the stream; what was added and not yet written is dropped. */
  close(): void {
    this.#closed = true;
    this.#frames = [];
    this.#stream.end();
  }

  async #write(): Promise<void> {
    this.#writing = true;
    while (this.#frames.length > 0 && !this.#stream.destroyed) {
      const frames = this.#frames;
      this.#frames = [];
      for (const frame of frames) {
        if (this.#closed) return;
        await writeFrame(this.#stream, frame);
        this.#onWritten();
      }
    }
    this.#writing = false;
  }
}
