import type { LockstepError } from '@lockstep/core';
import { encodeJson, type PeerHello } from './exchange-hello.ts';
import { FrameQueue } from './frame-queue.ts';
import { openShardStream } from './shard-stream.ts';
import { blankHeader, encodeFrame, type TensorFrame } from './tensor-frame.ts';

export interface PeerClientOptions {
  readonly address: string;
  readonly hello: PeerHello;
  /** The other shard has let this one in. */
  readonly onOpen: () => void;
  /** What throws ends the stream. */
  readonly onFrame: (frame: TensorFrame) => void;
  /** A frame has left; so the other side takes what comes. */
  readonly onProgress: () => void;
  /** The stream ended; called once, never after `close`. */
  readonly onLost: (error: LockstepError) => void;
}

/** A shard's side of one connection to another shard. It does not connect again by itself. */
export class PeerClient {
  readonly #options: PeerClientOptions;
  readonly #queue: FrameQueue;
  #closed = false;

  constructor(options: PeerClientOptions) {
    this.#options = options;
    const take = (frame: TensorFrame): void => (frame.header.kind === 'hello' ? options.onOpen() : options.onFrame(frame));
    const socket = openShardStream(options.address, take, (error) => this.#lose(error));
    this.#queue = new FrameQueue(socket, options.onProgress);
    this.#queue.add([encodeFrame(blankHeader, encodeJson(options.hello))]);
  }

  /** Sends frames in order, as fast as the other side takes them. */
  send(frames: readonly Buffer[]): void {
    this.#queue.add(frames);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#queue.close();
  }

  #lose(error: LockstepError): void {
    if (this.#closed) return;
    this.close();
    this.#options.onLost(error);
  }
}
