import { randomBytes } from 'node:crypto';
import { LockstepError } from '@lockstep/core';
import { ChunkAssembly, payloadOf, type Landing, type ReadBytes } from './chunk-assembly.ts';
import { partialFile, removePartialFiles, versionFile } from './exchange-files.ts';
import { decodeJson, encodeJson, shardHello, type announcedNodes, type partialShares, type sharingReply, type WorkerHello } from './exchange-hello.ts';
import type { TreeNode } from '@lockstep/reduction';
import type { PartialHeader, VersionPort } from './exchange-port.ts';
import { FrameQueue } from './frame-queue.ts';
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
  readonly role: WorkerHello['role'];
  /** Of the worker, or of the one in whose process the relay is. */
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

/** A relay is told of no more nodes than these at once: so many small ones are not worth adding up first. */
const MAX_ANNOUNCED = 1024;

/** A worker's side of one connection to one shard: partials out, versions in. It does not connect again by itself. */
export class ExchangeClient {
  readonly #options: ExchangeClientOptions;
  readonly #queue: FrameQueue;
  readonly #files = new Map<number, SharedFile>();
  readonly #versionFiles = new Map<number, SharedFile>();
  readonly #connection = randomBytes(16).toString('hex');
  readonly #assembly = new ChunkAssembly();
  #directory: string | null = null;
  /** Whether a relay has answered. */
  #merges = false;
  #closed = false;

  constructor(options: ExchangeClientOptions) {
    this.#options = options;
    this.#queue = new FrameQueue(openShardStream(options.address, (frame) => this.#take(frame), (error) => this.#lose(error)));
    this.#queue.add([encodeFrame(blankHeader, encodeJson({ role: options.role, token: options.token, rank: options.rank, connection: this.#connection } satisfies WorkerHello))]);
  }

  /** Whether the bytes go through shared memory. */
  get sharesMemory(): boolean {
    return this.#directory !== null;
  }

  /** Tells a relay, where one has answered, that these nodes of a step are being computed and will be pushed. */
  announce(step: number, nodes: readonly TreeNode[]): void {
    if (this.#closed || !this.#merges || nodes.length > MAX_ANNOUNCED) return;
    this.#queue.add([encodeFrame({ ...blankHeader, kind: 'nodes' }, encodeJson({ step, nodes: [...nodes] } satisfies ReturnType<typeof announcedNodes.parse>))]);
  }

  /**
   * Sends a partial's slice. It must stay as it is until the shard has sent version `step + 1` (then it takes no more of it for
   * this step), or until `close`, which ends its reading. `slot` is the number of the partial among those
   * of the worker's last two steps: a slot's bytes are reused two steps later, when the version in between proves that
   * the shard has taken them. Does nothing once the exchange has ended.
   */
  push({ digests, shares, ...partial }: PushedPartial, slot: number, slice: Uint8Array): void {
    if (this.#closed) return;
    const isOfOne = this.#options.role === 'worker';
    if (!isOfOne) this.#queue.add([encodeFrame({ ...blankHeader, kind: 'shares' }, encodeJson([...shares] satisfies ReturnType<typeof partialShares.parse>))]);
    this.#send({ ...blankHeader, ...partial, computeMs: isOfOne ? shares[0]?.computeMs ?? 0 : 0, kind: 'partial', slot, length: slice.length }, slice, digests);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#assembly.abandon();
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
    const { length, sharedDirectory, merges } = decodeJson('hello', shardHello, payload);
    if (length !== this.#options.length) throw new LockstepError('protocol', `shard at ${this.#options.address} holds ${length} elements, expected ${this.#options.length}`);
    const proof = sharedDirectory === null ? null : probeSharedDirectory(sharedDirectory);
    if (proof !== null) this.#directory = sharedDirectory;
    this.#merges = merges;
    this.#queue.add([encodeFrame(blankHeader, encodeJson({ proof } satisfies ReturnType<typeof sharingReply.parse>))]);
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
    const file = this.#versionFile(slot);
    return (offset, into) => file.read(step, offset, into);
  }

  #versionFile(slot: number): SharedFile {
    const known = this.#versionFiles.get(slot);
    if (known !== undefined) return known;
    if (this.#directory === null) throw new LockstepError('protocol', `shard at ${this.#options.address} names a shared file but shares no memory`);
    const file = SharedFile.open(versionFile(this.#directory, slot));
    this.#versionFiles.set(slot, file);
    return file;
  }

  /** Puts the slice in the slot's shared file a chunk at a time; where there is none or the tmpfs is full, the socket carries the rest. */
  #send(header: FrameHeader, slice: Uint8Array, digests: ArrayLike<number>): void {
    const file = this.#directory === null ? null : this.#fileOf(header.slot, this.#directory);
    let offset = 0;
    for (const chunk of file === null ? [] : cutIntoChunks(slice, SHARED_CHUNK_BYTES)) {
      if (file?.put(header.step, offset, chunk) !== true) break;
      this.#queue.add([encodeFrame({ ...header, carrier: 'shared', offset, count: chunk.length }, undefined, offset === 0 ? digests : [])]);
      offset += chunk.length;
      if (offset === slice.length) return;
    }
    this.#queue.add(lentFramesOf('partial', header, slice.subarray(offset), { offset, length: slice.length }, digests));
  }

  /** Null where the directory has gone or takes no more. */
  #fileOf(slot: number, directory: string): SharedFile | null {
    const known = this.#files.get(slot);
    if (known !== undefined) return known;
    try {
      const file = SharedFile.create(partialFile(directory, this.#connection, slot));
      this.#files.set(slot, file);
      return file;
    } catch {
      return null;
    }
  }
}
