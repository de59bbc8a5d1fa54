import { once } from 'node:events';
import { Server, type ServerCredentials, type ServerWritableStream } from '@grpc/grpc-js';
import { LockstepError } from '@lockstep/core';
import { bindAll } from './addresses.ts';
import type { BlockShelf } from './block-shelf.ts';
import { controlOptions, CoordinatorGrpc, type JoinServerStream } from './coordinator-service.ts';
import type { BlockChunk } from './gen/lockstep/v1/BlockChunk.ts';
import type { BlockRequest__Output } from './gen/lockstep/v1/BlockRequest.ts';
import type { CoordinatorMessage } from './gen/lockstep/v1/CoordinatorMessage.ts';
import type { WorkerMessage__Output } from './gen/lockstep/v1/WorkerMessage.ts';
import { statusFromError } from './grpc-errors.ts';

/** One worker's membership stream, seen from the coordinator. */
export interface WorkerConnection {
  send(message: CoordinatorMessage): void;
  /** Ends the stream after what was sent. */
  end(): void;
}

/**
 * What happens on membership streams. `ended` comes once for every connection, however it ends. A message that `message`
 * throws at costs its sender the connection, and nobody else.
 */
export interface MembershipPort {
  message(connection: WorkerConnection, message: WorkerMessage__Output): void;
  ended(connection: WorkerConnection): void;
}

/** The coordinator's gRPC server: membership streams and data blocks. */
export class ControlServer {
  readonly #server = new Server(controlOptions);
  readonly #credentials: ServerCredentials;

  constructor(port: MembershipPort, shelf: BlockShelf, credentials: ServerCredentials) {
    this.#credentials = credentials;
    this.#server.addService(CoordinatorGrpc.service, {
      join: (stream: JoinServerStream) => attach(stream, port),
      fetchBlock: (stream: ServerWritableStream<BlockRequest__Output, BlockChunk>) => sendBlock(stream, shelf),
    });
  }

  /** Listens on all addresses and gives them back with their ports. */
  async listen(addresses: readonly string[]): Promise<string[]> {
    return bindAll(this.#server, addresses, this.#credentials);
  }

  /** Lets open streams end by themselves for `graceMs`, then cuts them: a peer that hangs would never end its own. */
  async close(graceMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const cut = setTimeout(() => {
        this.#server.forceShutdown();
        resolve();
      }, graceMs);
      this.#server.tryShutdown(() => {
        clearTimeout(cut);
        resolve();
      });
    });
  }
}

function attach(stream: JoinServerStream, port: MembershipPort): void {
  let open = true;
  const connection: WorkerConnection = {
    send: (message) => {
      if (open) stream.write(message);
    },
    end: () => {
      if (open) stream.end();
    },
  };
  const ended = (): void => {
    if (!open) return;
    open = false;
    port.ended(connection);
  };
  stream.on('data', (message: WorkerMessage__Output) => {
    try {
      port.message(connection, message);
    } catch (error) {
      stream.emit('error', statusFromError(error));
    }
  });
  stream.on('error', ended);
  stream.on('cancelled', ended);
  stream.on('end', () => {
    stream.end();
    ended();
  });
}

async function sendBlock(stream: ServerWritableStream<BlockRequest__Output, BlockChunk>, shelf: BlockShelf): Promise<void> {
  try {
    for await (const data of shelf.read(stream.request.sha256)) {
      if (stream.cancelled) return;
      if (!stream.write({ data })) await drained(stream);
    }
    stream.end();
  } catch (error) {
    stream.emit('error', statusFromError(error instanceof LockstepError ? error : new LockstepError('storage', `cannot read block ${stream.request.sha256}`, { cause: error })));
  }
}

/** Waits until the worker takes more, or has gone. */
async function drained(stream: ServerWritableStream<BlockRequest__Output, BlockChunk>): Promise<void> {
  const gone = new AbortController();
  const cancelled = (): void => gone.abort();
  stream.once('cancelled', cancelled);
  try {
    if (!stream.cancelled) await once(stream, 'drain', { signal: gone.signal });
  } catch (error) {
    if (!gone.signal.aborted) throw error;
  } finally {
    stream.off('cancelled', cancelled);
  }
}
