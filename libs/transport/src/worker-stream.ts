import { LockstepError } from '@lockstep/core';
import { ChunkAssembly, payloadOf, type Landing, type ReadBytes } from './chunk-assembly.ts';
import { partialFile, removePartialFiles } from './exchange-files.ts';
import { announcedNodes, decodeJson, encodeJson, partialShares, sharingReply, type shardHello, type WorkerHello } from './exchange-hello.ts';
import type { IncomingStream, StreamHandler } from './exchange-incoming.ts';
import type { PartialHeader, PartialIntake, ShardPort } from './exchange-port.ts';
import { SharedFile } from './shared-file.ts';
import type { SharedDirectory } from './shared-directory.ts';
import { checkLength, SliceOrder } from './slice-order.ts';
import { blankHeader, encodeFrame, type Carrier, type TensorFrame } from './tensor-frame.ts';
import { VersionOutbox } from './version-outbox.ts';

export interface WorkerStreamEvents {
  /** It is settled how bytes travel. */
  opened(): void;
  /** Whether this worker was asked for the initial parameters. */
  wasAsked(): boolean;
  ended(): void;
}

/** The stream of one worker or relay, seen from the shard. */
export class WorkerStream implements StreamHandler {
  readonly rank: number;
  readonly role: WorkerHello['role'];
  readonly outbox: VersionOutbox;
  isOpen = false;
  readonly #stream: IncomingStream;
  readonly #connection: string;
  readonly #port: ShardPort;
  readonly #directory: SharedDirectory | null;
  readonly #events: WorkerStreamEvents;
  readonly #files = new Map<number, SharedFile>();
  readonly #assembly = new ChunkAssembly();
  readonly #order = new SliceOrder();
  /** Of a relay: whose work is in the partial that comes next. */
  #shares: PartialHeader['shares'] = [];
  /** What takes the partial that is arriving; null where that is of no use. */
  #intake: PartialIntake | null = null;
  #isWelcome = false;
  #sharesMemory = false;

  constructor(stream: IncomingStream, hello: WorkerHello, port: ShardPort, directory: SharedDirectory | null, events: WorkerStreamEvents) {
    this.#stream = stream;
    this.rank = hello.rank;
    this.role = hello.role;
    this.#connection = hello.connection;
    this.#port = port;
    this.#directory = directory;
    this.#events = events;
    this.outbox = new VersionOutbox(stream.socket);
  }

  /** How versions get to it. */
  get carrier(): Carrier {
    return this.#sharesMemory ? 'shared' : 'inline';
  }

  /** Answers the worker's hello; until then it waits. */
  welcome(): void {
    if (this.#isWelcome) return;
    this.#isWelcome = true;
    const answer = encodeJson({ length: this.#port.length, sharedDirectory: this.#directory?.path ?? null, merges: this.#port.announcements !== null } satisfies ReturnType<typeof shardHello.parse>);
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
    else if (kind === 'partial') this.#takePartial(frame);
    else if (kind === 'initial') this.#takeInitial(frame);
    else if (kind === 'nodes' && this.#port.announcements !== null) this.#takeAnnouncement(frame.payload);
    else if (kind === 'shares' && this.role === 'relay') this.#shares = decodeJson('shares', partialShares, frame.payload);
    else throw new LockstepError('protocol', `worker ${this.rank} sent a ${kind}`);
  }

  ended(): void {
    this.isOpen = false;
    this.#assembly.abandon();
    this.#intake?.abandon();
    this.#intake = null;
    this.#port.announcements?.gone(this.rank);
    for (const file of this.#files.values()) file.close();
    if (this.#sharesMemory && this.#directory !== null) removePartialFiles(this.#directory.path, this.#connection);
    this.#events.ended();
  }

  #open(payload: Buffer): void {
    if (this.isOpen || !this.#isWelcome) throw new LockstepError('protocol', `worker ${this.rank} said hello again`);
    const { proof } = decodeJson('hello', sharingReply, payload);
    this.#sharesMemory = this.#directory !== null && proof === this.#directory.proof;
    this.isOpen = true;
    this.#events.opened();
  }

  #takePartial(frame: TensorFrame): void {
    const { header, digests } = frame;
    checkLength(header, this.#port.partialBytes(header.step));
    const { isFirst, isLast } = this.#order.next(header);
    if (isFirst) this.#intake = this.#port.receive(this.rank, { step: header.step, node: header.node, tally: header.tally, shares: this.#sharesOf(frame), digests, carrier: header.carrier });
    const isThere = this.#intake?.take(header.count, this.#bytesOf(frame)) ?? true;
    if (!isThere) throw new LockstepError('protocol', `worker ${this.rank}: slot ${header.slot} does not hold its partial of step ${header.step}`);
    if (isLast) this.#intake = null;
  }

  /** A worker's partial is its own work; a relay has said whose. */
  #sharesOf({ header: { node, computeMs } }: TensorFrame): PartialHeader['shares'] {
    const numMicroBatches = 2 ** node.level;
    if (this.role === 'worker') return [{ rank: this.rank, microBatches: numMicroBatches, computeMs }];
    const shares = this.#shares;
    this.#shares = [];
    const total = shares.reduce((sum, { microBatches }) => sum + microBatches, 0);
    if (total !== numMicroBatches) throw new LockstepError('protocol', `the relay of worker ${this.rank} tells whose ${total} micro-batches are in a partial of ${numMicroBatches}`);
    return shares;
  }

  #takeAnnouncement(payload: Buffer): void {
    const { step, nodes } = decodeJson('nodes', announcedNodes, payload);
    this.#port.announcements?.announced(this.rank, step, nodes);
  }

  #takeInitial(frame: TensorFrame): void {
    checkLength(frame.header, this.#port.length * 4);
    if (frame.header.carrier !== 'inline') throw new LockstepError('protocol', `worker ${this.rank} sent initial parameters that are not in their frames`);
    this.#assembly.take(frame, this.#initialLanding());
  }

  #initialLanding(): Landing {
    if (!this.#events.wasAsked()) throw new LockstepError('protocol', `worker ${this.rank} was not asked for initial parameters`);
    return {
      reserve: () => this.#port.reserveInitial(),
      commit: (destination) => this.#port.commitInitial(destination),
      abandon: (destination) => this.#port.abandonInitial(destination),
    };
  }

  #bytesOf(frame: TensorFrame): ReadBytes {
    const { carrier, slot, step } = frame.header;
    if (carrier === 'inline') return payloadOf(frame);
    const file = this.#sharedFile(slot);
    return (offset, into) => triedToRead(() => file.read(step, offset, into));
  }

  #sharedFile(slot: number): SharedFile {
    const known = this.#files.get(slot);
    if (known !== undefined) return known;
    if (!this.#sharesMemory || this.#directory === null) throw new LockstepError('protocol', `worker ${this.rank} names a shared file but shares no memory`);
    const file = SharedFile.open(partialFile(this.#directory.path, this.#connection, slot));
    this.#files.set(slot, file);
    return file;
  }
}

/** A file that cannot be read does not hold the partial. */
function triedToRead(read: () => boolean): boolean {
  try {
    return read();
  } catch {
    return false;
  }
}
