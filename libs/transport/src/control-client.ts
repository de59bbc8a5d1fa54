import type { ChannelCredentials } from '@grpc/grpc-js';
import type { LockstepError } from '@lockstep/core';
import { fetchBlock, fetchBlockInto, putBlock, type WriteBlock } from './control-block-calls.ts';
import type { BlockReference__Output } from './gen/lockstep/v1/BlockReference.ts';
import type { CoordinatorMessage__Output } from './gen/lockstep/v1/CoordinatorMessage.ts';
import type { WorkerMessage } from './gen/lockstep/v1/WorkerMessage.ts';
import { ReconnectingStream, type HeartbeatOptions } from './reconnecting-stream.ts';

export interface ControlClientOptions {
  readonly address: string;
  readonly credentials: ChannelCredentials;
  /** The first message of every connection. */
  readonly hello: () => WorkerMessage;
  readonly onMessage: (message: CoordinatorMessage__Output) => void;
  /** The connection broke or fell silent after a welcome, or the first could not be made; it is being made again. */
  readonly onBroken: (error: LockstepError) => void;
  /** Over for good: null after `finish`, else refused, never welcomed, or not back in time. Called once, never after `close`. */
  readonly onEnd: (error: LockstepError | null) => void;
}

/** A worker's connection to its coordinator, which may break and come back: the membership stream and data blocks. */
export class ControlClient {
  readonly #stream: ReconnectingStream<WorkerMessage, CoordinatorMessage__Output>;

  constructor(options: ControlClientOptions) {
    this.#stream = new ReconnectingStream({ ...options, open: (client) => client.join() });
  }

  /** Dropped while there is no connection. */
  send(message: WorkerMessage): void {
    this.#stream.send(message);
  }

  /** From now on says regularly that the worker is alive, and takes silence for a broken connection. */
  startHeartbeats(options: HeartbeatOptions<WorkerMessage>): void {
    this.#stream.startHeartbeats(options);
  }

  /**
   * Fetches a block into memory of its own and checks that it is the one that was asked for; begins anew where the
   * connection breaks. Rejects with the signal's reason.
   */
  fetchBlock(reference: BlockReference__Output, signal: AbortSignal): Promise<Buffer> {
    return this.#stream.retrying(signal, (client, either) => fetchBlock(client, this.#stream.peer, reference, either));
  }

  /** The same, handing its bytes on as they come. */
  fetchBlockInto(reference: BlockReference__Output, write: WriteBlock, signal: AbortSignal): Promise<void> {
    return this.#stream.retrying(signal, (client, either) => fetchBlockInto(client, this.#stream.peer, reference, write, either));
  }

  /** Hands the coordinator a block, given in parts. Rejects with the signal's reason, where the connection breaks, or with what the coordinator says. */
  putBlock(token: string, parts: readonly Uint8Array[], signal: AbortSignal): Promise<BlockReference__Output> {
    return this.#stream.once(signal, (client, either) => putBlock(client, this.#stream.peer, token, parts, either));
  }

  close(): void {
    this.#stream.close();
  }
}
