import type { LockstepError } from '@lockstep/core';
import { encodeJson, type ClientHello, type PeerHello, type shardHello, type WorkerHello } from './exchange-hello.ts';
import { IncomingStream, type StreamHandler } from './exchange-incoming.ts';
import { InitialRequest } from './exchange-initial.ts';
import type { PeerPort, ShardPort } from './exchange-port.ts';
import { FrameListener, type AcceptedStream } from './frame-listener.ts';
import type { OutgoingVersion } from './outgoing-version.ts';
import { createSharedDirectory, type SharedDirectory } from './shared-directory.ts';
import { blankHeader, encodeFrame, type Carrier } from './tensor-frame.ts';
import { VersionFeed } from './version-feed.ts';
import { WorkerStream } from './worker-stream.ts';

/** How a stream to a shard ended. */
export interface StreamEnd {
  /** The address of the other side. */
  readonly peer: string;
  /** Null where it was no worker's, or had not said whose. */
  readonly rank: number | null;
  /** Null where it ended without a breach of the protocol. */
  readonly fault: LockstepError | null;
}

export interface ExchangeServerOptions {
  /** What every stream must present. */
  readonly token: string;
  /** Offer the tmpfs to workers of this machine. */
  readonly sharedMemory: boolean;
  /** Serve workers at once; otherwise their streams wait for `serve`. */
  readonly serving: boolean;
  /** After this silence another worker is asked for the initial parameters too. */
  readonly failureDetectionMs: number;
  readonly onStreamEnd: (end: StreamEnd) => void;
}

/** A shard's side of the tensor streams: partials in, versions out, over sockets or through shared files; and its peers. */
export class ExchangeServer {
  readonly #port: ShardPort;
  readonly #peers: PeerPort;
  readonly #options: ExchangeServerOptions;
  readonly #listener = new FrameListener((stream) => this.#accept(stream));
  readonly #directory: SharedDirectory | null;
  readonly #feed: VersionFeed;
  readonly #streams = new Set<IncomingStream>();
  /** By role and rank. */
  readonly #workers = new Map<string, WorkerStream>();
  readonly #initial: InitialRequest;
  /** The newest version, of which so many bytes are made. */
  #current: { readonly version: number; readonly parameters: Uint8Array; readonly made: number } | null = null;
  /** By how it gets to the workers. */
  readonly #outgoing = new Map<Carrier, OutgoingVersion>();
  #serving: boolean;
  #closed = false;

  constructor(port: ShardPort, peers: PeerPort, options: ExchangeServerOptions) {
    this.#port = port;
    this.#peers = peers;
    this.#options = options;
    this.#serving = options.serving;
    this.#initial = new InitialRequest(() => port.needsInitial, options.failureDetectionMs);
    this.#directory = options.sharedMemory ? createSharedDirectory(port.length * 4 * 4) : null;
    this.#feed = new VersionFeed(this.#directory);
  }

  /** Listens on all addresses and gives them back with their ports. */
  async listen(addresses: readonly string[]): Promise<string[]> {
    return this.#listener.listen(addresses);
  }

  /** Welcomes the workers that wait, and those that come. */
  serve(): void {
    this.#serving = true;
    for (const worker of this.#workers.values()) worker.welcome();
  }

  /**
   * Sends workers the first `made` bytes of a version, and more of it when this is called again. `parameters` must hold it until
   * the next one begins, for workers that join meanwhile.
   */
  show(version: number, parameters: Uint8Array, made: number): void {
    if (this.#closed) return;
    const isNew = this.#current?.version !== version;
    this.#current = { version, parameters, made };
    if (!isNew) return this.#outgoing.forEach((outgoing) => outgoing.grow(parameters, made));
    for (const outgoing of this.#outgoing.values()) outgoing.retire();
    this.#outgoing.clear();
    for (const worker of this.#workers.values()) if (worker.isOpen) this.#sendTo(worker);
  }

  /** Sends workers a version that is whole. */
  publish(version: number, parameters: Uint8Array): void {
    this.show(version, parameters, parameters.length);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#initial.close();
    for (const stream of [...this.#streams]) stream.close();
    this.#listener.close();
    this.#feed.close();
    this.#directory?.remove();
  }

  #sendTo(worker: WorkerStream): void {
    if (this.#current === null) return;
    const { version, parameters, made } = this.#current;
    const known = this.#outgoing.get(worker.carrier);
    const outgoing = known ?? this.#feed.begin(worker.carrier, version, parameters.length);
    if (known === undefined) {
      this.#outgoing.set(worker.carrier, outgoing);
      outgoing.grow(parameters, made);
    }
    worker.outbox.offer(outgoing);
  }

  #accept(accepted: AcceptedStream): void {
    let rank: number | null = null;
    const stream: IncomingStream = new IncomingStream(accepted, this.#options.token, {
      greet: (hello) => {
        if ('rank' in hello) rank = hello.rank;
        return this.#handlerOf(hello, stream);
      },
      ended: (fault) => {
        this.#streams.delete(stream);
        this.#options.onStreamEnd({ peer: stream.peer, rank, fault });
      },
    });
    this.#streams.add(stream);
  }

  #handlerOf(hello: ClientHello, stream: IncomingStream): StreamHandler {
    return 'rank' in hello ? this.#acceptWorker(hello, stream) : this.#acceptPeer(hello, stream);
  }

  /** A worker has one stream: one that connects anew has given up the other, which may not have ended yet. */
  #acceptWorker(hello: WorkerHello, stream: IncomingStream): WorkerStream {
    const key = `${hello.role} ${hello.rank}`;
    const worker: WorkerStream = new WorkerStream(stream, hello, this.#port, this.#directory, {
      opened: () => {
        this.#sendTo(worker);
        // A relay has no parameters of its own to begin with.
        if (hello.role === 'worker') this.#initial.opened(worker);
      },
      wasAsked: () => this.#initial.wasAsked(worker),
      ended: () => {
        if (this.#workers.get(key) === worker) this.#workers.delete(key);
        this.#initial.ended(worker);
      },
    });
    this.#workers.get(key)?.supersede();
    this.#workers.set(key, worker);
    if (this.#serving) worker.welcome();
    return worker;
  }

  #acceptPeer(hello: PeerHello, stream: IncomingStream): StreamHandler {
    const receiver = this.#peers.accept(hello, { send: (frame) => stream.send(frame), refuse: (reason) => stream.refuse(reason) });
    stream.send(encodeFrame(blankHeader, encodeJson({ length: this.#port.length, sharedDirectory: null, merges: false } satisfies ReturnType<typeof shardHello.parse>)));
    return receiver;
  }
}
