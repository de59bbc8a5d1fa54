import { bytesOf, type WireConfig } from '@lockstep/core';
import {
  addTallies, createPartialDecoder, createVectorCodec, roundingOf, TreeReduction, type Bytes, type Kernels, type Tally, type TreeNode, type Vector, type VectorCodec,
} from '@lockstep/reduction';
import { trainableIn } from './shard-plan.ts';

export interface GradientSum {
  readonly vector: Vector;
  readonly tally: Tally;
}

/** 512 KiB, whole blocks of any wire format and of the norm: small enough for a processor's cache, large enough that a message a piece costs little. */
export const PIECE_FLOATS = 131_072;

/** Reads partials that travel in one way. */
type Decoder = Pick<VectorCodec, 'bytesFor' | 'decode'>;

/** Kernel memory for a piece of a partial, which arrives as floats or encoded. */
export interface LentPiece {
  readonly bytes: Uint8Array;
  readonly vector: Vector;
  readonly encoded: { readonly room: Bytes; readonly decoder: Decoder } | null;
}

/**
 * A piece of a shard's range, which is reduced by itself: what has arrived of a partial is added while the rest of it is
 * still on its way.
 */
export class ShardPiece {
  /** In elements of the shard's range. */
  readonly from: number;
  readonly to: number;
  /** How many of them are optimized; buffers follow. */
  readonly trainable: number;
  readonly #kernels: Kernels;
  /** Adds sums up, rounded as they travel. */
  readonly #codec: VectorCodec;
  /** What partials travel as besides float32: null where that is all. */
  readonly #encoded: Decoder | null;
  readonly #reduction: TreeReduction<GradientSum>;
  /** The root, where nobody needs its vector any more. */
  #dropped: GradientSum | null = null;

  /** Of a range whose first `trainableLength` elements are optimized. */
  constructor(from: number, to: number, trainableLength: number, microBatches: number, kernels: Kernels, wire: WireConfig) {
    this.from = from;
    this.to = to;
    this.trainable = trainableIn({ range: { from, to }, trainableLength });
    this.#kernels = kernels;
    this.#codec = createVectorCodec(kernels, kernels.wireFormats[roundingOf(wire)], this.trainable);
    this.#encoded = wire === 'float32' ? null : createPartialDecoder(kernels, wire, this.trainable);
    this.#reduction = new TreeReduction<GradientSum>(microBatches, {
      merge: (left, right) => this.#merge(left, right),
      release: (sum) => {
        if (sum !== this.#dropped) kernels.release(sum.vector);
      },
    });
  }

  /** The sum over the whole global batch, once every micro-batch is covered. */
  get root(): GradientSum | undefined {
    return this.#reduction.root;
  }

  covers(node: TreeNode): boolean {
    return this.#reduction.covers(node);
  }

  /** The micro-batches that no partial covers yet, in order. */
  missing(): readonly number[] {
    return this.#reduction.missing();
  }

  /** Bytes of the piece of a partial that travels `whole`, as float32, or as the run's partials do. */
  bytesOf(whole: boolean): number {
    const length = this.to - this.from;
    return whole || this.#encoded === null ? length * 4 : this.#encoded.bytesFor(length);
  }

  /** Memory for the piece of a partial; float32 needs no decoding, its bytes arrive where they are added up. */
  lend(whole: boolean): LentPiece {
    const vector = this.#kernels.allocate(this.to - this.from);
    if (whole || this.#encoded === null) return { vector, encoded: null, bytes: bytesOf(vector.data) };
    const room = this.#kernels.allocateBytes(this.bytesOf(whole));
    return { vector, encoded: { room, decoder: this.#encoded }, bytes: room.data };
  }

  giveBack({ vector, encoded }: LentPiece): void {
    this.#kernels.release(vector);
    if (encoded !== null) this.#kernels.releaseBytes(encoded.room);
  }

  /** What has arrived there, which is the caller's to add or to release. */
  decode({ vector, encoded }: LentPiece): Vector {
    if (encoded === null) return vector;
    encoded.decoder.decode(encoded.room, vector);
    this.#kernels.releaseBytes(encoded.room);
    return vector;
  }

  /** Takes the partial of a node that is not covered. */
  add(node: TreeNode, partial: GradientSum): void {
    this.#reduction.add(node, partial);
  }

  /** Nobody needs the root's vector any more: the next piece is added up in its memory, which is in the processor's cache. */
  dropGradient(): void {
    const { root } = this;
    if (root === undefined || root === this.#dropped) return;
    this.#dropped = root;
    this.#kernels.release(root.vector);
  }

  clear(): void {
    this.#reduction.clear();
    this.#dropped = null;
  }

  #merge(left: GradientSum, right: GradientSum): GradientSum {
    this.#codec.merge(left.vector, right.vector);
    this.#kernels.release(right.vector);
    return { vector: left.vector, tally: addTallies(left.tally, right.tally) };
  }
}
