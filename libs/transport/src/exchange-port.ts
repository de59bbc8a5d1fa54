import type { Tally, TreeNode } from '@lockstep/reduction';
import type { ReadBytes } from './chunk-assembly.ts';
import type { PeerHello } from './exchange-hello.ts';
import type { WorkerShare__Output as WorkerShare } from './gen/lockstep/v1/WorkerShare.ts';
import type { Carrier, TensorFrame } from './tensor-frame.ts';

/** What a partial's frames say of it. */
export interface PartialHeader {
  readonly step: number;
  readonly node: TreeNode;
  readonly tally: Tally;
  /** Whose work it is: one worker's, or that of several which a relay has added up. */
  readonly shares: readonly WorkerShare[];
}

export interface ArrivedPartial extends PartialHeader {
  /** Of each micro-batch's gradient, in order. */
  readonly digests: Uint32Array;
  /** Whether the bytes came over the wire or from memory that both sides see. */
  readonly carrier: Carrier;
}

/** A partial's slice on its way into a shard, in order from its first byte to its last. */
export interface PartialIntake {
  /** Its next `count` bytes, which are read now or never. False where they are not there any more. What it throws costs the worker its stream. */
  take(count: number, read: ReadBytes): boolean;
  /** The rest will not come. */
  abandon(): void;
}

/**
 * What a shard offers to the streams of its workers. Destinations are memory of the shard, and each that was given out is
 * committed or abandoned once. What a method throws costs its worker the stream.
 */
export interface ShardPort {
  /** Where this is no shard but a relay to one, who is told what its workers are about to push; else null. */
  readonly announcements: AnnouncementPort | null;
  /** Elements of the shard's range. */
  readonly length: number;
  /** Bytes of a partial's slice of it, as the step's partials travel. */
  partialBytes(step: number): number;
  /** Whether the shard waits for the initial parameters. */
  readonly needsInitial: boolean;
  /** A partial's slice begins to arrive; null where it is of no use: its micro-batches are covered or its step is over. */
  receive(rank: number, partial: ArrivedPartial): PartialIntake | null;
  /** Where to put the initial parameters, or null where the shard has some. */
  reserveInitial(): Uint8Array | null;
  commitInitial(destination: Uint8Array): void;
  abandonInitial(destination: Uint8Array): void;
}

export interface AnnouncementPort {
  /** The worker computes these nodes of the step now, and none of those that it announced before. */
  announced(rank: number, step: number, nodes: readonly TreeNode[]): void;
  /** Nothing more comes from the worker by this stream. */
  gone(rank: number): void;
}

/** What a shard does with the streams of other shards. What it throws costs the peer its stream. */
export interface PeerPort {
  accept(hello: PeerHello, connection: PeerConnection): PeerReceiver;
}

export interface PeerConnection {
  send(frame: Buffer): void;
  /** Ends the stream; the peer is told why. */
  refuse(reason: string): void;
}

export interface PeerReceiver {
  take(frame: TensorFrame): void;
  ended(): void;
}

/** What a worker does with the versions that arrive from one shard. */
export interface VersionPort {
  /** Of the shard's range, as it travels. */
  readonly bytes: number;
  /** Where to put the shard's range of this version, or null where it is of no use any more. */
  reserve(version: number): Uint8Array | null;
  commit(version: number): void;
  abandon(version: number): void;
}
