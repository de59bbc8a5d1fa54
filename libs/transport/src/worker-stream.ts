import { LockstepError } from '@lockstep/core';
import { checkLength, ChunkAssembly, type Landing } from './chunk-assembly.ts';
import { partialFile, removePartialFiles } from './exchange-files.ts';
import { decodeHello, encodeHello, sharingReply, type shardHello, type WorkerHello } from './exchange-hello.ts';
import type { IncomingStream, StreamHandler } from './exchange-incoming.ts';
import type { ArrivedPartial, ShardPort } from './exchange-port.ts';
import { SharedFile } from './shared-file.ts';
import type { SharedDirectory } from './shared-directory.ts';
import { blankHeader, encodeFrame, type TensorFrame } from './tensor-frame.ts';
import { VersionOutbox } from './version-outbox.ts';

export interface WorkerStreamEvents {
  /** It is settled how bytes travel. */
  opened(): void;
  /** Whether this worker was asked for the initial parameters. */
  wasAsked(): boolean;
  ended(): void;
}

/** One worker's stream, seen from the shard. */
export class WorkerStream implements StreamHandler {
  readonly rank: number;
  readonly outbox: VersionOutbox;
  isOpen = false;
  shares = false;
  readonly #stream: IncomingStream;
  readonly #connection: string;
  readonly #port: ShardPort;
  readonly #directory: SharedDirectory | null;
  readonly #events: WorkerStreamEvents;
  readonly #files = new Map<number, SharedFile>();
  readonly #assembly = new ChunkAssembly();
  #isWelcome = false;

  constructor(stream: IncomingStream, hello: WorkerHello, port: ShardPort, directory: SharedDirectory | null, events: WorkerStreamEvents) {
    this.#stream = stream;
    this.rank = hello.rank;
    this.#connection = hello.connection;
    this.#port = port;
    this.#directory = directory;
    this.#events = events;
    this.outbox = new VersionOutbox(stream.socket);
  }

  /** Answers the worker's hello; until then it waits. */
  welcome(): void {
    if (this.#isWelcome) return;
    this.#isWelcome = true;
    const answer = encodeHello({ length: this.#port.length, sharedDirectory: this.#directory?.path ?? null } satisfies ReturnType<typeof shardHello.parse>);
    this.#stream.send(encodeFrame(blankHeader, answer));
  }

  askForInitial(): void {
    this.#stream.send(encodeFrame({ ...blankHeader, kind: 'initial' }));
  }

  /** Another connection of the same worker has taken this one's place. */
  supersede(): void {
    this.#stream.refuse(`worker ${this.rank} has connected anew`);
  }

  take(frame: TensorFrame): void {
    const { kind } = frame.header;
    if (kind === 'hello') this.#open(frame.payload);
    else if (!this.isOpen) throw new LockstepError('protocol', `worker ${this.rank} sent a ${kind} before it was welcome`);
    else if (kind === 'partial') this.#takeSlice(frame, this.#port.partialBytes, this.#partialLanding(frame));
    else if (kind === 'initial') this.#takeSlice(frame, this.#port.length * 4, this.#initialLanding());
    else throw new LockstepError('protocol', `worker ${this.rank} sent a ${kind}`);
  }

  ended(): void {
    this.isOpen = false;
    this.#assembly.abandon();
    for (const file of this.#files.values()) file.close();
    if (this.shares && this.#directory !== null) removePartialFiles(this.#directory.path, this.#connection);
    this.#events.ended();
  }

  #open(payload: Buffer): void {
    if (this.isOpen || !this.#isWelcome) throw new LockstepError('protocol', `worker ${this.rank} said hello again`);
    const { proof } = decodeHello(sharingReply, payload);
    this.shares = this.#directory !== null && proof === this.#directory.proof;
    this.isOpen = true;
    this.#events.opened();
  }

  #takeSlice(frame: TensorFrame, numBytes: number, landing: Landing): void {
    checkLength(frame.header, numBytes);
    if (frame.header.carrier === 'shared') this.#takeShared(frame, landing);
    else this.#assembly.take(frame, landing);
  }

  #partialLanding({ header, digests }: TensorFrame): Landing {
    const partial: ArrivedPartial = { step: header.step, node: header.node, tally: header.tally, computeMs: header.computeMs, digests, carrier: header.carrier };
    return {
      reserve: () => this.#port.reserve(this.rank, partial),
      commit: (destination) => this.#port.commit(this.rank, partial, destination),
      abandon: (destination) => this.#port.abandon(this.rank, partial, destination),
    };
  }

  #initialLanding(): Landing {
    if (!this.#events.wasAsked()) throw new LockstepError('protocol', `worker ${this.rank} was not asked for initial parameters`);
    return {
      reserve: () => this.#port.reserveInitial(),
      commit: (destination) => this.#port.commitInitial(destination),
      abandon: (destination) => this.#port.abandonInitial(destination),
    };
  }

  /** A partial that the shard still wants stays in its slot until the version that it is part of. */
  #takeShared({ header: { slot, step, count, length } }: TensorFrame, landing: Landing): void {
    if (count !== length) throw new LockstepError('protocol', `worker ${this.rank} names ${count} shared bytes of ${length}`);
    const file = this.#sharedFile(slot);
    const destination = landing.reserve();
    if (destination === null) return;
    if (readInto(file, step, destination)) return landing.commit(destination);
    landing.abandon(destination);
    throw new LockstepError('protocol', `worker ${this.rank}: slot ${slot} does not hold its partial of step ${step}`);
  }

  #sharedFile(slot: number): SharedFile {
    const known = this.#files.get(slot);
    if (known !== undefined) return known;
    if (!this.shares || this.#directory === null) throw new LockstepError('protocol', `worker ${this.rank} names a shared file but shares no memory`);
    const file = SharedFile.open(partialFile(this.#directory.path, this.#connection, slot));
    this.#files.set(slot, file);
    return file;
  }
}

/** A file that cannot be read does not hold the partial: the destination goes back either way. */
function readInto(file: SharedFile, step: number, destination: Uint8Array): boolean {
  try {
    return file.read(step, 0, destination);
  } catch {
    return false;
  }
}
