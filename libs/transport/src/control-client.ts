import type { ChannelCredentials } from '@grpc/grpc-js';
import { LockstepError, sha256 } from '@lockstep/core';
import { channelTarget } from './addresses.ts';
import { controlOptions, CoordinatorGrpc, type JoinClientStream } from './coordinator-service.ts';
import type { BlockChunk__Output } from './gen/lockstep/v1/BlockChunk.ts';
import type { BlockReference__Output } from './gen/lockstep/v1/BlockReference.ts';
import type { CoordinatorClient } from './gen/lockstep/v1/Coordinator.ts';
import type { CoordinatorMessage__Output } from './gen/lockstep/v1/CoordinatorMessage.ts';
import type { WorkerMessage } from './gen/lockstep/v1/WorkerMessage.ts';
import { errorFromStatus } from './grpc-errors.ts';

export interface ControlClientOptions {
  readonly address: string;
  readonly credentials: ChannelCredentials;
  readonly onMessage: (message: CoordinatorMessage__Output) => void;
  /** The stream ended: with an error when it broke. Called once. */
  readonly onEnd: (error: LockstepError | null) => void;
}

/** A worker's connection to its coordinator: the membership stream and data blocks. */
export class ControlClient {
  readonly #client: CoordinatorClient;
  readonly #stream: JoinClientStream;
  readonly #address: string;
  #ended = false;

  constructor(options: ControlClientOptions) {
    this.#address = options.address;
    this.#client = new CoordinatorGrpc(channelTarget(options.address), options.credentials, controlOptions);
    this.#stream = this.#client.join();
    this.#stream.on('data', options.onMessage);
    this.#stream.on('error', (error) => this.#end(() => options.onEnd(errorFromStatus(error, `coordinator at ${options.address}`))));
    this.#stream.on('end', () => this.#end(() => options.onEnd(null)));
  }

  send(message: WorkerMessage): void {
    if (!this.#ended) this.#stream.write(message);
  }

  /** Fetches a block into memory and checks that it is the one that was asked for. Rejects with the signal's reason. */
  async fetchBlock(reference: BlockReference__Output, signal: AbortSignal): Promise<Buffer> {
    signal.throwIfAborted();
    const block = Buffer.allocUnsafe(reference.numBytes);
    const call = this.#client.fetchBlock({ sha256: reference.sha256 });
    call.on('error', () => undefined);
    const abort = (): void => call.cancel();
    signal.addEventListener('abort', abort, { once: true });
    let received = 0;
    try {
      for await (const { data } of call as AsyncIterable<BlockChunk__Output>) {
        if (received + data.byteLength > block.byteLength) throw this.#wrongBlock(reference, 'is longer than announced');
        block.set(data, received);
        received += data.byteLength;
      }
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof LockstepError ? error : errorFromStatus(error, `coordinator at ${this.#address}`);
    } finally {
      signal.removeEventListener('abort', abort);
      call.cancel();
    }
    if (received !== block.byteLength || sha256(block) !== reference.sha256) throw this.#wrongBlock(reference, 'does not have its SHA-256');
    return block;
  }

  close(): void {
    this.#ended = true;
    this.#stream.end();
    this.#client.close();
  }

  #end(notify: () => void): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#client.close();
    notify();
  }

  #wrongBlock(reference: BlockReference__Output, what: string): LockstepError {
    return new LockstepError('protocol', `block ${reference.sha256} from ${this.#address} ${what} (${reference.numBytes} bytes)`);
  }
}
