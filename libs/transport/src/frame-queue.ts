import { writeFrame, type ExchangeClientStream } from './exchange-service.ts';

/** Writes frames to a stream one after another, in the order of `add`, as fast as the other side takes them. */
export class FrameQueue {
  readonly #stream: ExchangeClientStream;
  #frames: Buffer[] = [];
  #writing = false;

  constructor(stream: ExchangeClientStream) {
    this.#stream = stream;
  }

  add(frames: readonly Buffer[]): void {
    this.#frames.push(...frames);
    if (!this.#writing) void this.#write();
  }

  async #write(): Promise<void> {
    this.#writing = true;
    while (this.#frames.length > 0 && !this.#stream.destroyed) {
      const frames = this.#frames;
      this.#frames = [];
      for (const frame of frames) await writeFrame(this.#stream, frame);
    }
    this.#writing = false;
  }
}
