import type { ChannelCredentials } from '@grpc/grpc-js';
import { fetchBlock, putBlock } from './control-block-calls.ts';
import type { BlockReference__Output } from './gen/lockstep/v1/BlockReference.ts';
import type { HostCommand__Output } from './gen/lockstep/v1/HostCommand.ts';
import type { HostMessage } from './gen/lockstep/v1/HostMessage.ts';
import type { HostLink, HostLinkEvents } from './host-link.ts';
import { ReconnectingStream } from './reconnecting-stream.ts';

export interface HostClientOptions {
  readonly address: string;
  readonly credentials: ChannelCredentials;
  readonly events: HostLinkEvents;
}

/** A shard host's connection to a coordinator elsewhere, which may break and come back. */
export class HostClient implements HostLink {
  readonly #stream: ReconnectingStream<HostMessage, HostCommand__Output>;
  readonly #events: HostLinkEvents;
  #token = '';

  constructor({ address, credentials, events }: HostClientOptions) {
    this.#events = events;
    this.#stream = new ReconnectingStream({
      address, credentials,
      open: (client) => client.host(),
      hello: () => events.hello(),
      onMessage: (command) => this.#take(command),
      onBroken: () => undefined,
      onEnd: (error) => events.ended(error),
    });
  }

  send(message: HostMessage): void {
    this.#stream.send(message);
  }

  putBlock(parts: readonly Uint8Array[], signal: AbortSignal): Promise<BlockReference__Output> {
    return this.#stream.once(signal, (client, either) => putBlock(client, this.#stream.peer, this.#token, parts, either));
  }

  fetchBlock(reference: BlockReference__Output, signal: AbortSignal): Promise<Buffer> {
    return this.#stream.retrying(signal, (client, either) => fetchBlock(client, this.#stream.peer, reference, either));
  }

  close(): void {
    this.#stream.close();
  }

  #take(command: HostCommand__Output): void {
    if (command.welcome) {
      const { token, failureDetectionMs, reconnectForMs } = command.welcome;
      this.#token = token;
      this.#stream.startHeartbeats({ failureDetectionMs, heartbeat: () => ({ heartbeat: {} }), reconnectForMs });
    }
    this.#events.command(command);
  }
}
