import type { ChannelCredentials, ClientDuplexStream } from '@grpc/grpc-js';
import { LockstepError } from '@lockstep/core';
import { channelTarget } from './addresses.ts';
import { controlClientOptions, CoordinatorGrpc } from './coordinator-service.ts';
import type { CoordinatorClient } from './gen/lockstep/v1/Coordinator.ts';
import { errorFromStatus } from './grpc-errors.ts';

/** How long a peer that hangs may keep the last words of a stream that was closed. */
const LAST_WORDS_MS = 1_000;

export interface ReconnectingConnectionOptions<Sent, Received> {
  readonly address: string;
  readonly credentials: ChannelCredentials;
  readonly peer: string;
  readonly open: (client: CoordinatorClient) => ClientDuplexStream<Sent, Received>;
  /** The peer must have answered by then, if only with headers. */
  readonly patienceMs: number;
  readonly onMessage: (message: Received) => void;
  /** Called once, never after `close`. */
  readonly onBroken: (error: LockstepError) => void;
}

/** One connection of a stream that reconnects: a channel of its own, so that the name is looked up anew and no back-off but ours delays it. */
export class ReconnectingConnection<Sent, Received> {
  readonly client: CoordinatorClient;
  /** When the peer spoke last; null until it has on this connection. */
  heardMs: number | null = null;
  isWelcomed = false;
  readonly #stream: ClientDuplexStream<Sent, Received>;
  readonly #onBroken: (error: LockstepError) => void;
  readonly #ended = new AbortController();
  readonly #patience: NodeJS.Timeout;

  constructor({ address, credentials, peer, open, patienceMs, onMessage, onBroken }: ReconnectingConnectionOptions<Sent, Received>) {
    this.#onBroken = onBroken;
    this.client = new CoordinatorGrpc(channelTarget(address), credentials, controlClientOptions);
    this.#stream = open(this.client);
    this.#patience = setTimeout(() => this.cut(new LockstepError('connection', `${peer}: no answer within ${patienceMs / 1000} s`)), patienceMs);
    this.#stream.on('metadata', () => clearTimeout(this.#patience));
    this.#stream.on('data', (message: Received) => {
      this.heardMs = performance.now();
      onMessage(message);
    });
    this.#stream.on('error', (error) => this.cut(errorFromStatus(error, peer)));
    this.#stream.on('end', () => this.cut(new LockstepError('connection', `${peer}: ended the connection`)));
  }

  /** Aborted with the reason when this connection is over, with every call on its channel. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  send(message: Sent): void {
    if (!this.#ended.signal.aborted) this.#stream.write(message);
  }

  /** Gives the connection up at once. */
  cut(error: LockstepError): void {
    if (this.#ended.signal.aborted) return;
    this.#release(error);
    this.#stream.cancel();
    this.#onBroken(error);
  }

  /** Ends the stream after what was sent. */
  close(reason: LockstepError): void {
    if (this.#ended.signal.aborted) return;
    this.#release(reason);
    this.#stream.end();
    const hangs = setTimeout(() => this.#stream.cancel(), LAST_WORDS_MS);
    this.#stream.on('status', () => clearTimeout(hangs));
  }

  #release(reason: LockstepError): void {
    clearTimeout(this.#patience);
    this.#ended.abort(reason);
    this.client.close();
  }
}
