import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { boundAddress, cannotListen, isUnix, socketTarget, type Address } from './addresses.ts';
import { adopt, type OnBytes } from './socket-reading.ts';

/** A stream that has come; to be opened once. */
export interface AcceptedStream {
  /** The address of the other side. */
  readonly peer: string;
  /** Begins to read: `onBytes` is called with what arrives, which may be reused after that. */
  open(onBytes: OnBytes): Socket;
}

/** Listens for tensor streams, on any number of addresses. */
export class FrameListener {
  readonly #accept: (stream: AcceptedStream) => void;
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();

  constructor(accept: (stream: AcceptedStream) => void) {
    this.#accept = accept;
  }

  /** Gives the addresses back with the ports that the system chose. @throws LockstepError `connection` where it cannot listen. */
  async listen(addresses: readonly Address[]): Promise<Address[]> {
    const bound: Address[] = [];
    for (const address of addresses) bound.push(await this.#listen(address));
    return bound;
  }

  /** Ends all streams at once. */
  close(): void {
    for (const server of this.#servers) server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  async #listen(address: Address): Promise<Address> {
    const server = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => this.#admit(socket, address));
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(cannotListen(address, error)));
      server.listen(socketTarget(address), resolve);
    });
    this.#servers.push(server);
    return boundAddress(address, (server.address() as AddressInfo).port);
  }

  #admit(accepted: Socket, address: Address): void {
    this.#accept({
      peer: isUnix(address) ? address : `${accepted.remoteAddress}:${accepted.remotePort}`,
      open: (onBytes) => {
        const socket = adopt(accepted, onBytes);
        this.#sockets.add(socket);
        return socket.on('close', () => this.#sockets.delete(socket));
      },
    });
  }
}
