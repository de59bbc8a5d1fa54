import { randomBytes } from 'node:crypto';
import { LockstepError } from '@lockstep/core';
import { ChunkAssembly, payloadOf, type Landing, type ReadBytes } from './chunk-assembly.ts';
import { partialFile, removePartialFiles, versionFile } from './exchange-files.ts';
import { decodeHello, encodeHello, shardHello, type sharingReply, type WorkerHello } from './exchange-hello.ts';
import type { PartialHeader, VersionPort } from './exchange-port.ts';
import { FrameQueue } from './frame-queue.ts';
import { MemoryLane, processId, readVersion, type LentSlice, type VersionMemory } from './process-memory.ts';
import { probeSharedDirectory } from './shared-directory.ts';
import { openShardStream } from './shard-stream.ts';
import { SharedFile } from './shared-file.ts';
import { checkLength } from './slice-order.ts';
import { blankHeader, cutIntoChunks, encodeFrame, framesOf, lentFramesOf, SHARED_CHUNK_BYTES, type FrameHeader, type TensorFrame } from './tensor-frame.ts';

/** A partial but for its sum. */
export interface PushedPartial extends PartialHeader {
  /** Of each micro-batch's gradient, in order: `2^level` of them, 32 bits each. */
  readonly digests: ArrayLike<number>;
}

export interface ExchangeClientOptions {
  readonly rank: number;
  /** What tells the shard that this worker is of its run. */
  readonly token: string;
  readonly address: string;
  /** Elements of the shard's range. */
  readonly length: number;
  readonly versions: VersionPort;
  /** The initial parameters of the shard's range, which a shard may ask for; they are copied. */
  readonly initial: () => Float32Array;
  /** The shard has answered and it is settled how bytes travel; called at most once. */
  readonly onOpen: () => void;
  /** The stream ended, or a frame broke the protocol; called once, never after `close`. */
  readonly onLost: (error: LockstepError) => void;
}

/** A worker's side of one connection to one shard: partials out, versions in. It does not connect again by itself. */
export class ExchangeClient {
  readonly #options: ExchangeClientOptions;
  readonly #queue: FrameQueue;
  readonly #files = new Map<number, SharedFile>();
  readonly #versionFiles = new Map<number, SharedFile>();
  readonly #connection = randomBytes(16).toString('hex');
  readonly #assembly = new ChunkAssembly();
  #directory: string | null = null;
  /** Where the shard is a thread of this process. */
  #lane: MemoryLane<LentSlice, VersionMemory> | null = null;
  #versionMemory: VersionMemory | undefined;
  readonly #lent = new Map<number, Uint8Array>();
  readonly #isLent = new Int32Array(new SharedArrayBuffer(4)).fill(1);
  #closed = false;

  constructor(options: ExchangeClientOptions) {
    this.#options = options;
    this.#queue = new FrameQueue(openShardStream(options.address, (frame) => this.#take(frame), (error) => this.#lose(error)));
    this.#queue.add([encodeFrame(blankHeader, encodeHello({ role: 'worker', token: options.token, rank: options.rank, connection: this.#connection, process: processId } satisfies WorkerHello))]);
  }

  /** Whether the bytes go through shared memory. */
  get sharesMemory(): boolean {
    return this.#directory !== null || this.#lane !== null;
  }

  /**
   * Sends a partial's slice. It must stay as it is until the shard has sent version `step + 1` (then it takes no more of it for
   * this step), or until `close`, which ends its reading. `slot` is the number of the partial among those
   * of the worker's last two steps: a slot's bytes are reused two steps later, when the version in between proves that
   * the shard has taken them. Slices in memory that threads share are all of one memory. Does nothing once the exchange has ended.
   */
  push({ digests, ...partial }: PushedPartial, slot: number, slice: Uint8Array): void {
    if (this.#closed) return;
    const header: FrameHeader = { ...blankHeader, ...partial, kind: 'partial', slot, length: slice.length };
    if (this.#lend(slot, slice)) this.#queue.add([encodeFrame({ ...header, carrier: 'process', count: slice.length }, undefined, digests)]);
    else this.#share(header, slice, digests);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#assembly.abandon();
    Atomics.store(this.#isLent, 0, 0);
    this.#lane?.close();
    this.#queue.close();
    for (const file of [...this.#files.values(), ...this.#versionFiles.values()]) file.close();
  }

  #lose(error: LockstepError): void {
    if (this.#closed) return;
    this.close();
    if (this.#directory !== null) removePartialFiles(this.#directory, this.#connection);
    this.#options.onLost(error);
  }

  #take(frame: TensorFrame): void {
    switch (frame.header.kind) {
      case 'hello': return this.#settle(frame.payload);
      case 'version': return this.#takeVersion(frame);
      case 'initial': return this.#queue.add(framesOf('initial', {}, this.#options.initial()));
      default: throw new LockstepError('protocol', `a shard sent a ${frame.header.kind}`);
    }
  }

  #settle(payload: Buffer): void {
    const { length, sharedDirectory, sameProcess } = decodeHello(shardHello, payload);
    if (length !== this.#options.length) throw new LockstepError('protocol', `shard at ${this.#options.address} holds ${length} elements, expected ${this.#options.length}`);
    if (sameProcess) this.#lane = new MemoryLane(this.#connection);
    const proof = sameProcess || sharedDirectory === null ? null : probeSharedDirectory(sharedDirectory);
    if (proof !== null) this.#directory = sharedDirectory;
    this.#queue.add([encodeFrame(blankHeader, encodeHello({ proof } satisfies ReturnType<typeof sharingReply.parse>))]);
    this.#options.onOpen();
  }

  #takeVersion(frame: TensorFrame): void {
    const { header } = frame;
    const { versions } = this.#options;
    checkLength(header, versions.bytes);
    const landing: Landing = {
      reserve: () => versions.reserve(header.step),
      commit: () => versions.commit(header.step),
      abandon: () => versions.abandon(header.step),
    };
    this.#assembly.take(frame, landing, this.#bytesOf(frame));
  }

  /** A version that is not there any more has made way for a newer one, which is on its way. */
  #bytesOf(frame: TensorFrame): ReadBytes {
    const { carrier, slot, step } = frame.header;
    if (carrier === 'inline') return payloadOf(frame);
    if (carrier === 'process') {
      const memory = this.#memoryOfVersions();
      return (offset, into) => readVersion(memory, step, offset, into);
    }
    const file = this.#versionFile(slot);
    return (offset, into) => file.read(step, offset, into);
  }

  #memoryOfVersions(): VersionMemory {
    this.#versionMemory ??= this.#lane?.next();
    if (this.#versionMemory?.bytes.length !== this.#options.versions.bytes) throw new LockstepError('protocol', `shard at ${this.#options.address} names memory of this process but lends none for its range`);
    return this.#versionMemory;
  }

  #versionFile(slot: number): SharedFile {
    const known = this.#versionFiles.get(slot);
    if (known !== undefined) return known;
    if (this.#directory === null) throw new LockstepError('protocol', `shard at ${this.#options.address} names a shared file but shares no memory`);
    const file = SharedFile.open(versionFile(this.#directory, slot));
    this.#versionFiles.set(slot, file);
    return file;
  }

  /** Lends the slice to the shard where that is a thread of this process and sees the memory. */
  #lend(slot: number, slice: Uint8Array): boolean {
    if (this.#lane === null || !(slice.buffer instanceof SharedArrayBuffer)) return false;
    const known = this.#lent.get(slot);
    if (known?.byteOffset !== slice.byteOffset || known.length !== slice.length) {
      this.#lane.post({ slot, bytes: slice, isLent: this.#isLent });
      this.#lent.set(slot, slice);
    }
    return true;
  }

  /** Puts the slice in the slot's shared file a chunk at a time; where there is none or the tmpfs is full, the socket carries the rest. */
  #share(header: FrameHeader, slice: Uint8Array, digests: ArrayLike<number>): void {
    let offset = 0;
    for (const chunk of this.#directory === null ? [] : cutIntoChunks(slice, SHARED_CHUNK_BYTES)) {
      if (!this.#put(header, offset, chunk)) break;
      this.#queue.add([encodeFrame({ ...header, carrier: 'shared', offset, count: chunk.length }, undefined, offset === 0 ? digests : [])]);
      offset += chunk.length;
      if (offset === slice.length) return;
    }
    this.#queue.add(lentFramesOf('partial', header, slice.subarray(offset), { offset, length: slice.length }, digests));
  }

  #put({ slot, step }: FrameHeader, offset: number, chunk: Uint8Array): boolean {
    try {
      const file = this.#files.get(slot) ?? this.#createFile(slot);
      if (offset === 0) file.begin(step);
      file.put(offset, chunk);
      return true;
    } catch {
      return false;
    }
  }

  #createFile(slot: number): SharedFile {
    const file = SharedFile.create(partialFile(this.#directory ?? '', this.#connection, slot));
    this.#files.set(slot, file);
    return file;
  }
}
