import { bytesOf } from '@lockstep/core';
import { CHUNK_FLOATS, writeFrame, type ExchangeServerStream } from './exchange-service.ts';
import { blankHeader, encodeFrame } from './tensor-frame.ts';

/** A version cut into frames; the same buffers go to every worker. */
export function framesOf(kind: 'version' | 'initial' | 'partial', fields: Partial<typeof blankHeader>, floats: Float32Array): Buffer[] {
  const frames: Buffer[] = [];
  let offset = 0;
  do {
    const chunk = floats.subarray(offset, offset + CHUNK_FLOATS);
    frames.push(encodeFrame({ ...blankHeader, ...fields, kind, offset, count: chunk.length, length: floats.length }, bytesOf(chunk)));
    offset += chunk.length;
  } while (offset < floats.length);
  return frames;
}

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
