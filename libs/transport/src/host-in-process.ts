import { LockstepError, messageOf } from '@lockstep/core';
import type { BlockShelf } from './block-shelf.ts';
import type { HostConnection, HostPort } from './control-server.ts';
import { CoordinatorGrpc } from './coordinator-service.ts';
import type { BlockReference__Output } from './gen/lockstep/v1/BlockReference.ts';
import type { HostCommand, HostCommand__Output } from './gen/lockstep/v1/HostCommand.ts';
import type { HostMessage, HostMessage__Output } from './gen/lockstep/v1/HostMessage.ts';
import type { HostLink, HostLinkEvents } from './host-link.ts';
import { errorOfRefusal } from './reconnecting-verdict.ts';

const { requestSerialize, requestDeserialize, responseSerialize, responseDeserialize } = CoordinatorGrpc.service.Host;

/** The host that a coordinator has in its own process: the same messages as over gRPC, in the same form, never within a call of the sender's. */
export function connectInProcess(port: HostPort, shelf: BlockShelf, events: HostLinkEvents): HostLink {
  return new InProcessLink(port, shelf, events);
}

class InProcessLink implements HostLink {
  readonly #port: HostPort;
  readonly #shelf: BlockShelf;
  readonly #events: HostLinkEvents;
  readonly #connection: HostConnection;
  #open = true;

  constructor(port: HostPort, shelf: BlockShelf, events: HostLinkEvents) {
    this.#port = port;
    this.#shelf = shelf;
    this.#events = events;
    this.#connection = {
      peer: 'in-process',
      send: (command) => this.#deliver(() => this.#command(asReceived(command))),
      end: () => this.#deliver(() => this.#end(new LockstepError('connection', 'the coordinator ended the connection'))),
    };
    this.#deliver(() => this.#tell(asSent(events.hello())));
  }

  send(message: HostMessage): void {
    const sent = asSent(message);
    this.#deliver(() => this.#tell(sent));
  }

  async putBlock(parts: readonly Uint8Array[], signal: AbortSignal): Promise<BlockReference__Output> {
    signal.throwIfAborted();
    return this.#shelf.arriveHere(parts.length === 1 ? parts[0]! : Buffer.concat(parts));
  }

  async fetchBlock(reference: BlockReference__Output, signal: AbortSignal): Promise<Buffer> {
    const block = Buffer.allocUnsafeSlow(reference.numBytes);
    let offset = 0;
    for await (const chunk of this.#shelf.read(reference.sha256)) {
      signal.throwIfAborted();
      block.set(chunk, offset);
      offset += chunk.byteLength;
    }
    return block;
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    queueMicrotask(() => this.#port.ended(this.#connection));
  }

  #tell(message: HostMessage__Output): void {
    try {
      this.#port.message(this.#connection, message);
    } catch (error) {
      this.#end(error instanceof LockstepError ? error : new LockstepError('protocol', messageOf(error), { cause: error }));
    }
  }

  #command(command: HostCommand__Output): void {
    this.#events.command(command);
    if (command.finish) this.#end(null);
    else if (command.refusal) this.#end(errorOfRefusal(command.refusal));
  }

  #end(error: LockstepError | null): void {
    if (!this.#open) return;
    this.close();
    this.#events.ended(error);
  }

  #deliver(act: () => void): void {
    queueMicrotask(() => {
      if (this.#open) act();
    });
  }
}

const asSent = (message: HostMessage): HostMessage__Output => requestDeserialize(requestSerialize(message)) as HostMessage__Output;
const asReceived = (command: HostCommand): HostCommand__Output => responseDeserialize(responseSerialize(command)) as HostCommand__Output;
