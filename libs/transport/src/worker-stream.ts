import { status } from '@grpc/grpc-js';
import { LockstepError, messageOf } from '@lockstep/core';
import { checkLength, ChunkAssembly, type Landing } from './chunk-assembly.ts';
import { partialFile } from './exchange-files.ts';
import type { shardHello} from './exchange-hello.ts';
import { decodeHello, encodeHello, sharingReply, workerHello } from './exchange-hello.ts';
import type { ShardPort } from './exchange-port.ts';
import type { ExchangeServerStream } from './exchange-service.ts';
import { SharedFile } from './shared-file.ts';
import type { SharedDirectory } from './shared-directory.ts';
import { blankHeader, decodeFrame, encodeFrame, type FrameHeader } from './tensor-frame.ts';
import { VersionOutbox } from './version-outbox.ts';

export interface WorkerStreamEvents {
  /** The worker has named itself and it is settled how bytes travel. */
  opened(): void;
  /** The stream ended, with a fault where the worker broke the protocol. Called once. */
  ended(fault: LockstepError | null): void;
}

/** One worker's stream, seen from the shard. */
export class WorkerStream {
  readonly outbox: VersionOutbox;
  rank: number | null = null;
  isOpen = false;
  shares = false;
  readonly #stream: ExchangeServerStream;
  readonly #port: ShardPort;
  readonly #directory: SharedDirectory | null;
  readonly #events: WorkerStreamEvents;
  readonly #files = new Map<number, SharedFile>();
  readonly #assembly = new ChunkAssembly();
  #ended = false;

  constructor(stream: ExchangeServerStream, port: ShardPort, directory: SharedDirectory | null, events: WorkerStreamEvents) {
    this.#stream = stream;
    this.#port = port;
    this.#directory = directory;
    this.#events = events;
    this.outbox = new VersionOutbox(stream);
    stream.on('data', (frame: Buffer) => this.#guard(() => this.#take(frame)));
    stream.on('error', () => this.#end(null));
    stream.on('cancelled', () => this.#end(null));
    stream.on('end', () => {
      stream.end();
      this.#end(null);
    });
  }

  /** Takes no more; the server ends the stream itself. */
  close(): void {
    this.#end(null);
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
    this.#assembly.abandon();
    for (const file of this.#files.values()) file.close();
    this.#events.ended(fault);
  }

  #take(frame: Buffer): void {
    const { header, payload } = decodeFrame(frame);
    if (header.kind === 'hello') this.#greet(payload);
    else if (this.rank === null) throw new LockstepError('protocol', `${header.kind} before hello`);
    else if (header.kind === 'version') throw new LockstepError('protocol', `worker ${this.rank} sent a version`);
    else this.#takeSlice(this.rank, header, payload);
  }

  #greet(payload: Buffer): void {
    if (this.isOpen) throw new LockstepError('protocol', `worker ${this.rank} said hello again`);
    if (this.rank === null) {
      this.rank = decodeHello(workerHello, payload).rank;
      const answer = encodeHello({ length: this.#port.length, sharedDirectory: this.#directory?.path ?? null } satisfies ReturnType<typeof shardHello.parse>);
      this.#stream.write(encodeFrame(blankHeader, answer));
      return;
    }
    const { proof } = decodeHello(sharingReply, payload);
    this.shares = this.#directory !== null && proof === this.#directory.proof;
    this.isOpen = true;
    this.#events.opened();
  }

  #takeSlice(rank: number, header: FrameHeader, payload: Buffer): void {
    checkLength(header, this.#port.length);
    const landing = header.kind === 'partial' ? this.#partialLanding(rank, header) : this.#initialLanding();
    if (header.carrier === 'shared') this.#takeShared(rank, header, landing);
    else this.#assembly.take(header, payload, landing);
  }

  #partialLanding(rank: number, header: FrameHeader): Landing {
    return {
      reserve: () => this.#port.reserve(rank, header),
      commit: (destination) => this.#port.commit(rank, header, destination),
      abandon: (destination) => this.#port.abandon(rank, header, destination),
    };
  }

  #initialLanding(): Landing {
    return {
      reserve: () => this.#port.reserveInitial(),
      commit: (destination) => this.#port.commitInitial(destination),
      abandon: (destination) => this.#port.abandonInitial(destination),
    };
  }

  /** A partial that the shard still wants stays in its slot until the version that it is part of. */
  #takeShared(rank: number, header: FrameHeader, landing: Landing): void {
    const file = this.#sharedFile(rank, header.slot);
    const destination = landing.reserve();
    if (destination === null) return;
    if (file.read(header.step, 0, destination)) return landing.commit(destination);
    landing.abandon(destination);
    throw new LockstepError('protocol', `worker ${rank}: slot ${header.slot} does not hold its partial of step ${header.step}`);
  }

  #sharedFile(rank: number, slot: number): SharedFile {
    const known = this.#files.get(slot);
    if (known !== undefined) return known;
    if (!this.shares || this.#directory === null) throw new LockstepError('protocol', `worker ${rank} names a shared file but shares no memory`);
    const file = SharedFile.open(partialFile(this.#directory.path, rank, slot));
    this.#files.set(slot, file);
    return file;
  }
}
