import type { LockstepError } from '@lockstep/core';
import { VERSION_SLOTS, versionFile } from './exchange-files.ts';
import { encodeHello, type ClientHello, type PeerHello, type shardHello, type WorkerHello } from './exchange-hello.ts';
import { IncomingStream, type StreamHandler } from './exchange-incoming.ts';
import { InitialRequest } from './exchange-initial.ts';
import type { PeerPort, ShardPort } from './exchange-port.ts';
import { FrameListener, type AcceptedStream } from './frame-listener.ts';
import { SharedFile } from './shared-file.ts';
import { createSharedDirectory, type SharedDirectory } from './shared-directory.ts';
import { blankHeader, encodeFrame } from './tensor-frame.ts';
import { VersionCopies } from './version-copies.ts';
import type { Lent } from './version-outbox.ts';
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
  readonly #versionFiles: readonly SharedFile[];
  readonly #streams = new Set<IncomingStream>();
  readonly #workers = new Map<number, WorkerStream>();
  readonly #initial: InitialRequest;
  readonly #copies = new VersionCopies();
  #current: { readonly version: number; readonly parameters: Uint8Array } | null = null;
  /** The version that the shared files hold last. */
  #sharedVersion = -1;
  #serving: boolean;
  #closed = false;

  constructor(port: ShardPort, peers: PeerPort, options: ExchangeServerOptions) {
    this.#port = port;
    this.#peers = peers;
    this.#options = options;
    this.#serving = options.serving;
    this.#initial = new InitialRequest(() => port.needsInitial, options.failureDetectionMs);
    this.#directory = options.sharedMemory ? createSharedDirectory(port.length * 4 * 4) : null;
    this.#versionFiles = createVersionFiles(this.#directory);
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

  /** Sends a version to every worker; `parameters` must hold it until the next one, for workers that join meanwhile. */
  publish(version: number, parameters: Uint8Array): void {
    if (this.#closed) return;
    this.#current = { version, parameters };
    this.#sendTo([...this.#workers.values()].filter((worker) => worker.isOpen));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#initial.close();
    for (const stream of [...this.#streams]) stream.close();
    this.#listener.close();
    for (const file of this.#versionFiles) file.close();
    this.#directory?.remove();
  }

  #sendTo(workers: readonly WorkerStream[]): void {
    if (this.#current === null || workers.length === 0) return;
    const { version, parameters } = this.#current;
    const sharing = workers.filter((worker) => worker.shares);
    const rest = workers.filter((worker) => !worker.shares);
    if (sharing.length > 0) rest.push(...this.#shareVersion(version, parameters, sharing));
    if (rest.length > 0) {
      const copy = this.#copies.take(version, parameters);
      for (const worker of rest) worker.outbox.offer(copy);
    }
  }

  /** Tells the workers of the version in its shared file; gives back those to be served otherwise. */
  #shareVersion(version: number, parameters: Uint8Array, workers: readonly WorkerStream[]): readonly WorkerStream[] {
    const slot = version % VERSION_SLOTS;
    if (!this.#writeShared(slot, version, parameters)) return workers;
    const frame = encodeFrame({ ...blankHeader, kind: 'version', carrier: 'shared', slot, step: version, count: parameters.length, length: parameters.length });
    for (const worker of workers) worker.outbox.offer(ownedBySender(frame));
    return [];
  }

  /** Once a version: others may be reading it when a worker joins. False where the tmpfs is full. */
  #writeShared(slot: number, version: number, parameters: Uint8Array): boolean {
    if (version === this.#sharedVersion) return true;
    try {
      this.#versionFiles[slot]?.write(version, 0, parameters);
      this.#sharedVersion = version;
      return true;
    } catch {
      return false;
    }
  }

  #accept(accepted: AcceptedStream): void {
    let rank: number | null = null;
    const stream: IncomingStream = new IncomingStream(accepted, this.#options.token, {
      greet: (hello) => {
        if (hello.role === 'worker') rank = hello.rank;
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
    return hello.role === 'worker' ? this.#acceptWorker(hello, stream) : this.#acceptPeer(hello, stream);
  }

  /** A worker has one stream: one that connects anew has given up the other, which may not have ended yet. */
  #acceptWorker(hello: WorkerHello, stream: IncomingStream): WorkerStream {
    const worker: WorkerStream = new WorkerStream(stream, hello, this.#port, this.#directory, {
      opened: () => {
        this.#sendTo([worker]);
        this.#initial.opened(worker);
      },
      wasAsked: () => this.#initial.wasAsked(worker),
      ended: () => {
        if (this.#workers.get(hello.rank) === worker) this.#workers.delete(hello.rank);
        this.#initial.ended(worker);
      },
    });
    this.#workers.get(hello.rank)?.supersede();
    this.#workers.set(hello.rank, worker);
    if (this.#serving) worker.welcome();
    return worker;
  }

  #acceptPeer(hello: PeerHello, stream: IncomingStream): StreamHandler {
    const receiver = this.#peers.accept(hello, { send: (frame) => stream.send(frame), refuse: (reason) => stream.refuse(reason) });
    stream.send(encodeFrame(blankHeader, encodeHello({ length: this.#port.length, sharedDirectory: null } satisfies ReturnType<typeof shardHello.parse>)));
    return receiver;
  }
}

function ownedBySender(frame: Buffer): Lent {
  return { parts: [frame], hold: () => undefined, release: () => undefined };
}

function createVersionFiles(directory: SharedDirectory | null): readonly SharedFile[] {
  if (directory === null) return [];
  return Array.from({ length: VERSION_SLOTS }, (_, slot) => SharedFile.create(versionFile(directory.path, slot)));
}
