import { Server, type ServerCredentials } from '@grpc/grpc-js';
import type { LockstepError } from '@lockstep/core';
import { bindAll } from './addresses.ts';
import { VERSION_SLOTS, versionFile } from './exchange-files.ts';
import type { ShardPort } from './exchange-port.ts';
import { exchangeOptions, exchangeService, type ExchangeServerStream } from './exchange-service.ts';
import { SharedFile } from './shared-file.ts';
import { createSharedDirectory, type SharedDirectory } from './shared-directory.ts';
import { blankHeader, encodeFrame, framesOf } from './tensor-frame.ts';
import { WorkerStream } from './worker-stream.ts';

export interface ExchangeServerOptions {
  /** Offer the tmpfs to workers of this machine. */
  readonly sharedMemory: boolean;
  readonly credentials: ServerCredentials;
  /** A worker's stream broke the protocol or ended; null without a fault. */
  readonly onStreamEnd?: (rank: number | null, fault: LockstepError | null) => void;
}

/** A shard's side of the Exchange streams: partials in, versions out, over gRPC or through shared files. */
export class ExchangeServer {
  readonly #port: ShardPort;
  readonly #options: ExchangeServerOptions;
  readonly #server = new Server(exchangeOptions);
  readonly #directory: SharedDirectory | null;
  readonly #versionFiles: readonly SharedFile[];
  readonly #workers = new Set<WorkerStream>();
  #current: { readonly version: number; readonly parameters: Float32Array } | null = null;
  /** The version that the shared files hold last. */
  #sharedVersion = -1;
  #closed = false;

  constructor(port: ShardPort, options: ExchangeServerOptions) {
    this.#port = port;
    this.#options = options;
    this.#directory = options.sharedMemory ? createSharedDirectory(port.length * 4 * 4) : null;
    this.#versionFiles = createVersionFiles(this.#directory);
    this.#server.addService(exchangeService, { exchange: (stream: ExchangeServerStream) => this.#accept(stream) });
  }

  /** Listens on all addresses and gives them back with their ports. */
  async listen(addresses: readonly string[]): Promise<string[]> {
    return bindAll(this.#server, addresses, this.#options.credentials);
  }

  /** Sends a version to every worker; `parameters` must hold it until the next one, for workers that join meanwhile. */
  publish(version: number, parameters: Float32Array): void {
    if (this.#closed) return;
    this.#current = { version, parameters };
    this.#sendTo([...this.#workers].filter((worker) => worker.isOpen));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const worker of [...this.#workers]) worker.close();
    this.#server.forceShutdown();
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
      const frames = framesOf('version', { step: version }, parameters);
      for (const worker of rest) worker.outbox.offer(frames);
    }
  }

  /** Tells the workers of the version in its shared file; gives back those to be served otherwise. */
  #shareVersion(version: number, parameters: Float32Array, workers: readonly WorkerStream[]): readonly WorkerStream[] {
    const slot = version % VERSION_SLOTS;
    if (!this.#writeShared(slot, version, parameters)) return workers;
    const frame = encodeFrame({ ...blankHeader, kind: 'version', carrier: 'shared', slot, step: version, count: parameters.length, length: parameters.length });
    for (const worker of workers) worker.outbox.offer([frame]);
    return [];
  }

  /** Once a version: others may be reading it when a worker joins. False where the tmpfs is full. */
  #writeShared(slot: number, version: number, parameters: Float32Array): boolean {
    if (version === this.#sharedVersion) return true;
    try {
      this.#versionFiles[slot]?.write(version, 0, parameters);
      this.#sharedVersion = version;
      return true;
    } catch {
      return false;
    }
  }

  #accept(stream: ExchangeServerStream): void {
    const worker = new WorkerStream(stream, this.#port, this.#directory, {
      opened: () => this.#sendTo([worker]),
      ended: (fault) => {
        this.#workers.delete(worker);
        this.#options.onStreamEnd?.(worker.rank, fault);
      },
    });
    this.#workers.add(worker);
  }
}

function createVersionFiles(directory: SharedDirectory | null): readonly SharedFile[] {
  if (directory === null) return [];
  return Array.from({ length: VERSION_SLOTS }, (_, slot) => SharedFile.create(versionFile(directory.path, slot)));
}
