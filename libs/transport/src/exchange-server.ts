import { join } from 'node:path';
import { Server, status, type ServerCredentials } from '@grpc/grpc-js';
import { LockstepError, messageOf } from '@lockstep/core';
import { bindAll } from './addresses.ts';
import { ChunkAssembly, checkLength } from './chunk-assembly.ts';
import { decodeHello, encodeHello, shardHello, sharingReply, workerHello } from './exchange-hello.ts';
import type { PartialHeader, ShardPort } from './exchange-port.ts';
import { exchangeOptions, exchangeService, type ExchangeServerStream } from './exchange-service.ts';
import { SharedFile } from './shared-file.ts';
import { createSharedDirectory, type SharedDirectory } from './shared-directory.ts';
import { blankHeader, decodeFrame, encodeFrame, framesOf, type FrameHeader } from './tensor-frame.ts';
import { VersionOutbox } from './version-outbox.ts';

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

  constructor(port: ShardPort, options: ExchangeServerOptions) {
    this.#port = port;
    this.#options = options;
    this.#directory = options.sharedMemory ? createSharedDirectory(port.length * 4 * 4) : null;
    this.#versionFiles = this.#directory === null ? [] : [0, 1].map((slot) => SharedFile.create(join(this.#directory?.path ?? '', `version-${slot}`)));
    this.#server.addService(exchangeService, { exchange: (stream: ExchangeServerStream) => this.#accept(stream) });
  }

  /** Listens on all addresses and gives them back with their ports. */
  async listen(addresses: readonly string[]): Promise<string[]> {
    return bindAll(this.#server, addresses, this.#options.credentials);
  }

  /** Sends a version to every worker; `parameters` may be overwritten once this returns. */
  publish(version: number, parameters: Float32Array): void {
    this.#current = { version, parameters };
    this.#sendTo([...this.#workers].filter((worker) => worker.isOpen));
  }

  async close(): Promise<void> {
    this.#server.forceShutdown();
    for (const worker of this.#workers) worker.close();
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

  /** Puts the version in its shared file and tells the workers; gives back those to be served otherwise. */
  #shareVersion(version: number, parameters: Float32Array, workers: readonly WorkerStream[]): readonly WorkerStream[] {
    const slot = version % 2;
    try {
      this.#versionFiles[slot]?.write(version, 0, parameters);
    } catch {
      return workers;
    }
    const frame = encodeFrame({ ...blankHeader, kind: 'version', carrier: 'shared', slot, step: version, count: parameters.length, length: parameters.length });
    for (const worker of workers) worker.outbox.offer([frame]);
    return [];
  }

  #accept(stream: ExchangeServerStream): void {
    const worker = new WorkerStream(stream, this.#port, this.#directory);
    this.#workers.add(worker);
    worker.onOpen = () => this.#sendTo([worker]);
    worker.onEnd = (fault) => {
      this.#workers.delete(worker);
      this.#options.onStreamEnd?.(worker.rank, fault);
    };
  }
}

/** One worker's stream, seen from the shard. */
class WorkerStream {
  readonly outbox: VersionOutbox;
  rank: number | null = null;
  isOpen = false;
  shares = false;
  onOpen: () => void = () => undefined;
  onEnd: (fault: LockstepError | null) => void = () => undefined;
  readonly #stream: ExchangeServerStream;
  readonly #port: ShardPort;
  readonly #directory: SharedDirectory | null;
  readonly #files = new Map<number, SharedFile>();
  #assembly: ChunkAssembly | null = null;
  #ended = false;

  constructor(stream: ExchangeServerStream, port: ShardPort, directory: SharedDirectory | null) {
    this.#stream = stream;
    this.#port = port;
    this.#directory = directory;
    this.outbox = new VersionOutbox(stream);
    stream.on('data', (frame: Buffer) => this.#guard(() => this.#take(frame)));
    stream.on('error', () => this.#end(null));
    stream.on('cancelled', () => this.#end(null));
    stream.on('end', () => {
      stream.end();
      this.#end(null);
    });
  }

  close(): void {
    for (const file of this.#files.values()) file.close();
    this.#files.clear();
  }

  #guard(take: () => void): void {
    if (this.#ended) return;
    try {
      take();
    } catch (error) {
      const fault = error instanceof LockstepError ? error : new LockstepError('protocol', messageOf(error), { cause: error });
      this.#end(fault);
      this.#stream.emit('error', { code: status.INVALID_ARGUMENT, details: fault.message });
    }
  }

  #end(fault: LockstepError | null): void {
    if (this.#ended) return;
    this.#ended = true;
    this.isOpen = false;
    const assembly = this.#assembly;
    if (assembly?.destination && assembly.header.kind === 'partial') {
      this.#port.abandon(this.rank ?? -1, assembly.header, assembly.destination);
    }
    this.close();
    this.onEnd(fault);
  }

  #take(frame: Buffer): void {
    const { header, payload } = decodeFrame(frame);
    if (header.kind === 'hello') this.#greet(payload);
    else if (this.rank === null) throw new LockstepError('protocol', `${header.kind} before hello`);
    else if (header.kind === 'partial') this.#takePartial(this.rank, header, payload);
    else if (header.kind === 'initial') this.#takeInitial(header, payload);
    else throw new LockstepError('protocol', `a worker sent a ${header.kind}`);
  }

  #greet(payload: Buffer): void {
    if (this.rank === null) {
      this.rank = decodeHello(workerHello, payload).rank;
      const answer = encodeHello({ length: this.#port.length, sharedDirectory: this.#directory?.path ?? null } satisfies ReturnType<typeof shardHello.parse>);
      this.#stream.write(encodeFrame(blankHeader, answer));
      return;
    }
    const { proof } = decodeHello(sharingReply, payload);
    this.shares = this.#directory !== null && proof === this.#directory.proof;
    this.isOpen = true;
    this.onOpen();
  }

  #takePartial(rank: number, header: FrameHeader, payload: Buffer): void {
    if (header.carrier === 'shared') this.#takeShared(rank, header);
    else this.#takeChunk(header, payload, () => this.#port.reserve(rank, header), (destination) => this.#port.commit(rank, header, destination));
  }

  #takeInitial(header: FrameHeader, payload: Buffer): void {
    this.#takeChunk(header, payload, () => this.#port.reserveInitial(), () => this.#port.commitInitial());
  }

  #takeChunk(header: FrameHeader, payload: Buffer, reserve: () => Float32Array | null, commit: (destination: Float32Array) => void): void {
    checkLength(header, this.#port.length);
    if (header.offset === 0) this.#assembly = new ChunkAssembly(header, reserve());
    const assembly = this.#assembly;
    if (assembly === null) throw new LockstepError('protocol', 'a chunk without a first chunk');
    if (!assembly.take(header, payload)) return;
    this.#assembly = null;
    if (assembly.destination !== null) commit(assembly.destination);
  }

  #takeShared(rank: number, header: PartialHeader & FrameHeader): void {
    checkLength(header, this.#port.length);
    const destination = this.#port.reserve(rank, header);
    if (destination === null) return;
    if (this.#sharedFile(rank, header.slot).read(header.step, 0, destination)) this.#port.commit(rank, header, destination);
    else this.#port.abandon(rank, header, destination);
  }

  #sharedFile(rank: number, slot: number): SharedFile {
    const known = this.#files.get(slot);
    if (known !== undefined) return known;
    if (!this.shares || this.#directory === null) throw new LockstepError('protocol', `worker ${rank} names a shared file but shares no memory`);
    const file = SharedFile.open(join(this.#directory.path, sharedPartialName(rank, slot)));
    this.#files.set(slot, file);
    return file;
  }
}

/** The file in which a worker puts its partials of one slot. */
export function sharedPartialName(rank: number, slot: number): string {
  return `partial-${rank}-${slot}`;
}
