import { connect, createServer, type Server, type Socket } from 'node:net';

/** A way to a Unix socket that can be cut, or go silent, as a network does. */
export class CuttableProxy implements Disposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Listens on a port of its own for a socket `unix:PATH`. */
  static async to(unixAddress: string): Promise<CuttableProxy & { readonly address: string }> {
    const server = createServer();
    const proxy = new CuttableProxy(server);
    server.on('connection', (inward) => {
      const outward = connect(unixAddress.slice('unix:'.length));
      inward.pipe(outward);
      outward.pipe(inward);
      for (const socket of [inward, outward]) {
        proxy.#sockets.add(socket);
        socket.on('error', () => undefined);
        socket.on('close', () => proxy.cut(inward, outward));
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return Object.assign(proxy, { address: `127.0.0.1:${(server.address() as { port: number }).port}` });
  }

  /** Breaks connections; all where none is named. New ones can be made. */
  cut(...sockets: readonly Socket[]): void {
    for (const socket of sockets.length > 0 ? sockets : [...this.#sockets]) {
      socket.destroy();
      this.#sockets.delete(socket);
    }
  }

  /** From now on nothing gets through, and nobody is told. */
  silence(): void {
    for (const socket of this.#sockets) socket.unpipe().pause();
  }

  [Symbol.dispose](): void {
    this.#server.close();
    this.cut();
  }
}
