import type { PartialIntake, ReadBytes } from '@lockstep/transport';
import type { LentPiece, ShardPiece } from './shard-piece.ts';

/** What becomes of the pieces of one partial. */
export interface PieceTaker {
  /** Whether the piece is of use still. */
  wants(piece: ShardPiece): boolean;
  /** The piece is whole; what was lent is the taker's now. */
  take(piece: ShardPiece, lent: LentPiece): void;
}

/** Cuts a partial that arrives in order into the shard's pieces, each of which is taken as soon as it is whole. */
export class PieceIntake implements PartialIntake {
  readonly #pieces: readonly ShardPiece[];
  readonly #isWhole: boolean;
  readonly #taker: PieceTaker;
  #index = 0;
  /** Of the next byte in the partial. */
  #offset = 0;
  /** Bytes of the current piece that are there. */
  #filled = 0;
  /** Undefined before the current piece begins, null where it is skipped over. */
  #lent: LentPiece | null | undefined;

  /** Of a partial that travels whole, as float32, or as the run's partials do. */
  constructor(pieces: readonly ShardPiece[], isWhole: boolean, taker: PieceTaker) {
    this.#pieces = pieces;
    this.#isWhole = isWhole;
    this.#taker = taker;
  }

  take(count: number, read: ReadBytes): boolean {
    const end = this.#offset + count;
    for (let piece = this.#pieces[this.#index]; piece !== undefined; piece = this.#pieces[this.#index]) {
      const numBytes = piece.bytesOf(this.#isWhole);
      if (!this.#fill(piece, Math.min(end - this.#offset, numBytes - this.#filled), read)) return false;
      if (this.#filled < numBytes) return true;
      this.#pass(piece);
      if (this.#offset === end) return true;
    }
    return true;
  }

  abandon(): void {
    const piece = this.#pieces[this.#index];
    if (this.#lent && piece !== undefined) piece.giveBack(this.#lent);
    this.#lent = undefined;
  }

  #fill(piece: ShardPiece, count: number, read: ReadBytes): boolean {
    if (this.#lent === undefined) this.#lent = this.#taker.wants(piece) ? piece.lend(this.#isWhole) : null;
    if (this.#lent !== null && !read(this.#offset, this.#lent.bytes.subarray(this.#filled, this.#filled + count))) return false;
    this.#filled += count;
    this.#offset += count;
    return true;
  }

  #pass(piece: ShardPiece): void {
    const lent = this.#lent;
    this.#index += 1;
    this.#filled = 0;
    this.#lent = undefined;
    if (lent) this.#taker.take(piece, lent);
  }
}
