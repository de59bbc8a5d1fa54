import { Backoff } from '@lockstep/scheduling';
import { PeerClient, type PeerHello } from '@lockstep/transport';

/** What a shard says of itself to other shards. */
export type PeerIdentity = Omit<PeerHello, 'role'>;

/** The way to one other shard, kept open: after a break it connects again and sends what `greeting` gives. */
export class NormPeer {
  readonly #address: string;
  readonly #identity: PeerIdentity;
  readonly #greeting: () => readonly Buffer[];
  readonly #backoff = new Backoff();
  #client: PeerClient;
  #isOpen = false;
  #retry: NodeJS.Timeout | null = null;

  constructor(address: string, identity: PeerIdentity, greeting: () => readonly Buffer[]) {
    this.#address = address;
    this.#identity = identity;
    this.#greeting = greeting;
    this.#client = this.#connect();
  }

  /** Dropped while there is no connection: the greeting of the next one brings it. */
  send(frames: readonly Buffer[]): void {
    if (this.#isOpen) this.#client.send(frames);
  }

  close(): void {
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#client.close();
  }

  #connect(): PeerClient {
    const client: PeerClient = new PeerClient({
      address: this.#address,
      hello: { ...this.#identity, role: 'norms' },
      onOpen: () => {
        this.#isOpen = true;
        this.#backoff.opened(performance.now());
        client.send(this.#greeting());
      },
      onFrame: () => undefined,
      onProgress: () => undefined,
      onLost: () => this.#connectAgain(),
    });
    return client;
  }

  #connectAgain(): void {
    this.#isOpen = false;
    this.#retry = setTimeout(() => {
      this.#client = this.#connect();
    }, this.#backoff.broke(performance.now()).waitMs);
  }
}
