import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { boundAddress, cannotListen, isUnix, socketTarget, type Address } from './addresses.ts';
import { SOCKET_BUFFER } from './frame-dial.ts';

/** Listens for tensor streams, on any number of addresses. */
export class FrameListener {
  readonly #accept: (socket: Socket, peer: string) => void;
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();

  /** `accept` is given each socket and the address of its other side. */
  constructor(accept: (socket: Socket, peer: string) => void) {
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
    const server = createServer({ noDelay: true, highWaterMark: SOCKET_BUFFER }, (socket) => this.#admit(socket, address));
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(cannotListen(address, error)));
      server.listen(socketTarget(address), resolve);
    });
    this.#servers.push(server);
    return boundAddress(address, (server.address() as AddressInfo).port);
  }

  #admit(socket: Socket, address: Address): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    this.#accept(socket, isUnix(address) ? address : `${socket.remoteAddress}:${socket.remotePort}`);
  }
}
