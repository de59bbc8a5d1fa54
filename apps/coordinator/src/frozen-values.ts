import { LockstepError, type Rank } from '@lockstep/core';
import type { BlockReference__Output, BlockShelf, CoordinatorMessage } from '@lockstep/transport';

interface Wanted {
  readonly sha256: string;
  readonly found: PromiseWithResolvers<Float32Array>;
  /** Who was asked; null where there was nobody. */
  asked: Rank | null;
}

/**
 * The values of a model's frozen tensors, which every worker has and which take no part in training: one is asked for them for the final model, and another
 * should that one be lost.
 */
export class FrozenValues {
  readonly #shelf: BlockShelf;
  readonly #token: string;
  readonly #ranks: () => readonly Rank[];
  readonly #send: (rank: Rank, message: CoordinatorMessage) => void;
  #wanted: Wanted | null = null;

  constructor(shelf: BlockShelf, token: string, ranks: () => readonly Rank[], send: (rank: Rank, message: CoordinatorMessage) => void) {
    this.#shelf = shelf;
    this.#token = token;
    this.#ranks = ranks;
    this.#send = send;
  }

  /** In the model's order; resolves when a worker has sent what has this SHA-256. */
  get(sha256: string): Promise<Float32Array> {
    this.#wanted = { sha256, found: Promise.withResolvers(), asked: null };
    this.#ask(this.#ranks()[0]);
    return this.#wanted.found.promise;
  }

  /** One that comes back was asked on a connection that broke. */
  joined(rank: Rank): void {
    if (this.#wanted?.asked === null || this.#wanted?.asked === rank) this.#ask(rank);
  }

  lost(rank: Rank): void {
    if (this.#wanted?.asked === rank) this.#ask(this.#ranks().find((other) => other !== rank));
  }

  /** A worker has put them. What nobody waits for any more is let go. @throws LockstepError `protocol` where they are others. */
  take(rank: Rank, { sha256 }: BlockReference__Output): void {
    const bytes = this.#shelf.take(sha256);
    if (this.#wanted === null) return;
    if (sha256 !== this.#wanted.sha256) throw new LockstepError('protocol', `worker ${rank} sent frozen values with SHA-256 ${sha256}, expected ${this.#wanted.sha256}`);
    this.#wanted.found.resolve(new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)));
    this.#wanted = null;
  }

  #ask(rank: Rank | undefined): void {
    if (this.#wanted === null) return;
    this.#wanted.asked = rank ?? null;
    if (rank !== undefined) this.#send(rank, { sendFrozen: { token: this.#token } });
  }
}
