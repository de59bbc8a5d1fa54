import { Client, type ChannelCredentials } from '@grpc/grpc-js';
import { LockstepError, messageOf } from '@lockstep/core';
import { channelTarget } from './addresses.ts';
import { encodeHello, type PeerHello } from './exchange-hello.ts';
import { exchangeOptions, exchangeService, type ExchangeClientStream } from './exchange-service.ts';
import { FrameQueue } from './frame-queue.ts';
import { errorFromStatus } from './grpc-errors.ts';
import { blankHeader, decodeFrame, encodeFrame, type TensorFrame } from './tensor-frame.ts';

export interface PeerClientOptions {
  readonly address: string;
  readonly credentials: ChannelCredentials;
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
  readonly #client: Client;
  readonly #stream: ExchangeClientStream;
  readonly #queue: FrameQueue;
  #closed = false;

  constructor(options: PeerClientOptions) {
    this.#options = options;
    this.#client = new Client(channelTarget(options.address), options.credentials, exchangeOptions);
    const { path, requestSerialize, responseDeserialize } = exchangeService.exchange;
    this.#stream = this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    this.#queue = new FrameQueue(this.#stream, options.onProgress);
    this.#stream.on('data', (bytes: Buffer) => this.#guard(bytes));
    this.#stream.on('error', (error) => this.#lose(errorFromStatus(error, `shard at ${options.address}`)));
    this.#stream.on('end', () => this.#lose(new LockstepError('connection', `shard at ${options.address} ended the exchange`)));
    this.#queue.add([encodeFrame(blankHeader, encodeHello(options.hello))]);
  }

  /** Sends frames in order, as fast as the other side takes them. */
  send(frames: readonly Buffer[]): void {
    this.#queue.add(frames);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#queue.close();
    this.#client.close();
  }

  #guard(bytes: Buffer): void {
    if (this.#closed) return;
    try {
      const frame = decodeFrame(bytes);
      if (frame.header.kind === 'hello') this.#options.onOpen();
      else this.#options.onFrame(frame);
    } catch (error) {
      this.#lose(error instanceof LockstepError ? error : new LockstepError('protocol', messageOf(error), { cause: error }));
    }
  }

  #lose(error: LockstepError): void {
    if (this.#closed) return;
    this.close();
    this.#options.onLost(error);
  }
}
