import { Client, type ChannelCredentials } from '@grpc/grpc-js';
import { LockstepError, messageOf } from '@lockstep/core';
import { channelTarget } from './addresses.ts';
import { checkLength, ChunkAssembly, type Landing } from './chunk-assembly.ts';
import { partialFile, versionFile } from './exchange-files.ts';
import type { sharingReply, workerHello } from './exchange-hello.ts';
import { decodeHello, encodeHello, shardHello } from './exchange-hello.ts';
import type { PartialHeader, VersionPort } from './exchange-port.ts';
import { exchangeOptions, exchangeService, type ExchangeClientStream } from './exchange-service.ts';
import { FrameQueue } from './frame-queue.ts';
import { errorFromStatus } from './grpc-errors.ts';
import { probeSharedDirectory } from './shared-directory.ts';
import { SharedFile } from './shared-file.ts';
import { blankHeader, decodeFrame, encodeFrame, framesOf, type FrameHeader } from './tensor-frame.ts';

export interface ExchangeClientOptions {
  readonly rank: number;
  readonly address: string;
  readonly credentials: ChannelCredentials;
  /** Elements of the shard's range. */
  readonly length: number;
  readonly versions: VersionPort;
  /** The stream ended, or a frame broke the protocol; called once, never after `close`. */
  readonly onLost: (error: LockstepError) => void;
}

/** A worker's side of the stream to one shard: partials out, versions in. */
export class ExchangeClient {
  readonly #options: ExchangeClientOptions;
  readonly #client: Client;
  readonly #stream: ExchangeClientStream;
  readonly #queue: FrameQueue;
  readonly #files = new Map<number, SharedFile>();
  readonly #versionFiles = new Map<number, SharedFile>();
  readonly #opened = Promise.withResolvers<void>();
  readonly #assembly = new ChunkAssembly();
  #directory: string | null = null;
  #closed = false;

  constructor(options: ExchangeClientOptions) {
    this.#options = options;
    this.#client = new Client(channelTarget(options.address), options.credentials, exchangeOptions);
    const { path, requestSerialize, responseDeserialize } = exchangeService.exchange;
    this.#stream = this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    this.#queue = new FrameQueue(this.#stream);
    this.#opened.promise.catch(() => undefined);
    this.#stream.on('data', (frame: Buffer) => this.#guard(() => this.#take(frame)));
    this.#stream.on('error', (error) => this.#lose(errorFromStatus(error, `shard at ${options.address}`)));
    this.#stream.on('end', () => this.#lose(new LockstepError('connection', `shard at ${options.address} ended the exchange`)));
    this.#stream.write(encodeFrame(blankHeader, encodeHello({ rank: options.rank } satisfies ReturnType<typeof workerHello.parse>)));
  }

  /** Resolves when the shard has answered and it is settled how bytes travel. */
  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  /** Whether the bytes go through shared memory. */
  get sharesMemory(): boolean {
    return this.#directory !== null;
  }

  /**
   * Sends a partial's slice; `floats` may be reused once this returns. `slot` is the number of the partial among those
   * of the worker's last two steps: a slot's bytes are reused two steps later, when the version in between proves that
   * the shard has taken them. Does nothing once the exchange has ended.
   */
  push({ step, node, tally, computeMs }: PartialHeader, slot: number, floats: Float32Array): void {
    if (this.#closed) return;
    const fields = { step, node, tally, computeMs };
    if (this.#share(step, slot, floats)) {
      const count = floats.length;
      this.#queue.add([encodeFrame({ ...blankHeader, ...fields, kind: 'partial', carrier: 'shared', slot, count, length: count })]);
    } else {
      this.#queue.add(framesOf('partial', fields, floats));
    }
  }

  /** Sends the initial parameters of the shard's range. */
  initialize(floats: Float32Array): void {
    this.#queue.add(framesOf('initial', {}, floats));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#opened.reject(new LockstepError('aborted', 'the exchange was closed'));
    this.#assembly.abandon();
    this.#queue.close();
    this.#client.close();
    for (const file of [...this.#files.values(), ...this.#versionFiles.values()]) file.close();
  }

  #guard(take: () => void): void {
    if (this.#closed) return;
    try {
      take();
    } catch (error) {
      this.#lose(error instanceof LockstepError ? error : new LockstepError('protocol', messageOf(error), { cause: error }));
    }
  }

  #lose(error: LockstepError): void {
    if (this.#closed) return;
    this.#opened.reject(error);
    this.close();
    this.#options.onLost(error);
  }

  #take(frame: Buffer): void {
    const { header, payload } = decodeFrame(frame);
    if (header.kind === 'hello') this.#settle(payload);
    else if (header.kind !== 'version') throw new LockstepError('protocol', `a shard sent a ${header.kind}`);
    else this.#takeVersion(header, payload);
  }

  #settle(payload: Buffer): void {
    const { length, sharedDirectory } = decodeHello(shardHello, payload);
    if (length !== this.#options.length) throw new LockstepError('protocol', `shard at ${this.#options.address} holds ${length} elements, expected ${this.#options.length}`);
    const proof = sharedDirectory === null ? null : probeSharedDirectory(sharedDirectory);
    if (proof !== null) this.#directory = sharedDirectory;
    this.#stream.write(encodeFrame(blankHeader, encodeHello({ proof } satisfies ReturnType<typeof sharingReply.parse>)));
    this.#opened.resolve();
  }

  #takeVersion(header: FrameHeader, payload: Buffer): void {
    checkLength(header, this.#options.length);
    const { versions } = this.#options;
    const landing: Landing = {
      reserve: () => versions.reserve(header.step),
      commit: () => versions.commit(header.step),
      abandon: () => versions.abandon(header.step),
    };
    if (header.carrier === 'shared') this.#takeShared(header, landing);
    else this.#assembly.take(header, payload, landing);
  }

  /** A version that is not there any more has made way for a newer one, which is on its way. */
  #takeShared({ slot, step }: FrameHeader, landing: Landing): void {
    const file = this.#versionFile(slot);
    const destination = landing.reserve();
    if (destination === null) return;
    if (file.read(step, 0, destination)) landing.commit(destination);
    else landing.abandon(destination);
  }

  #versionFile(slot: number): SharedFile {
    const known = this.#versionFiles.get(slot);
    if (known !== undefined) return known;
    if (this.#directory === null) throw new LockstepError('protocol', `shard at ${this.#options.address} names a shared file but shares no memory`);
    const file = SharedFile.open(versionFile(this.#directory, slot));
    this.#versionFiles.set(slot, file);
    return file;
  }

  /** Puts the slice in the slot's shared file; false where there is none or the tmpfs is full, and gRPC carries it. */
  #share(step: number, slot: number, floats: Float32Array): boolean {
    if (this.#directory === null) return false;
    try {
      let file = this.#files.get(slot);
      if (file === undefined) {
        file = SharedFile.create(partialFile(this.#directory, this.#options.rank, slot));
        this.#files.set(slot, file);
      }
      file.write(step, 0, floats);
      return true;
    } catch {
      return false;
    }
  }
}
