import { LockstepError } from '@lockstep/core';
import { PeerClient } from '@lockstep/transport';
import type { PeerIdentity } from './norm-peer.ts';

export interface ReplicaLinkOptions {
  readonly address: string;
  readonly identity: PeerIdentity;
  /** A replica that takes nothing and answers nothing for so long counts as broken. */
  readonly failureDetectionMs: number;
  /** The replica is there and waits for the state. */
  readonly onOpen: () => void;
  /** The replica holds this version. */
  readonly onConfirmed: (version: number) => void;
  /** Called once, never after `close`. */
  readonly onBroken: (error: LockstepError) => void;
}

/** A primary's way to its replica. It is broken for good at the first fault. */
export class ReplicaLink {
  isOpen = false;
  readonly #options: ReplicaLinkOptions;
  readonly #client: PeerClient;
  #sent = -1;
  #confirmed = -1;
  #lastProgressMs = performance.now();
  #watch: NodeJS.Timeout | null;
  #closed = false;

  constructor(options: ReplicaLinkOptions) {
    this.#options = options;
    this.#watch = setTimeout(() => this.#check(), options.failureDetectionMs);
    this.#client = new PeerClient({
      address: options.address,
      hello: { ...options.identity, role: 'primary' },
      onOpen: () => {
        this.isOpen = true;
        this.#progress();
        options.onOpen();
      },
      onFrame: ({ header }) => {
        if (header.kind !== 'ack') throw new Error(`a replica sent a ${header.kind}`);
        this.#confirmed = header.step;
        this.#progress();
        options.onConfirmed(header.step);
      },
      onProgress: () => this.#progress(),
      onLost: (error) => this.#break(error),
    });
  }

  get confirmed(): number {
    return this.#confirmed;
  }

  /** Sends what takes the replica to a version. */
  send(version: number, frames: readonly Buffer[]): void {
    this.#sent = version;
    this.#progress();
    this.#client.send(frames);
    this.#watch ??= setTimeout(() => this.#check(), this.#options.failureDetectionMs);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#watch !== null) clearTimeout(this.#watch);
    this.#client.close();
  }

  #progress(): void {
    this.#lastProgressMs = performance.now();
  }

  /** Runs only while an answer is due. */
  #check(): void {
    this.#watch = null;
    if (this.isOpen && this.#confirmed >= this.#sent) return;
    const { failureDetectionMs, address } = this.#options;
    const silentMs = performance.now() - this.#lastProgressMs;
    if (silentMs >= failureDetectionMs) return this.#break(new LockstepError('deadline', `replica at ${address} silent for ${Math.round(silentMs)} ms`));
    this.#watch = setTimeout(() => this.#check(), failureDetectionMs - silentMs);
  }

  #break(error: LockstepError): void {
    if (this.#closed) return;
    this.close();
    this.#options.onBroken(error);
  }
}
