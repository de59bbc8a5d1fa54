import type { LockstepError } from '@lockstep/core';
import { Backoff } from '@lockstep/scheduling';
import { ExchangeClient, type ExchangeClientOptions } from '@lockstep/transport';
import type { AnnouncedNodes, HeldPartial } from './held-partial.ts';

export interface ShardLinkOptions extends Pick<ExchangeClientOptions, 'role' | 'rank' | 'token' | 'length' | 'versions' | 'initial'> {
  /** Where the shard, or a relay to it, is reached now. */
  readonly address: () => string;
  /** The shard's slice of a partial's sum. */
  readonly sliceOf: (partial: HeldPartial) => Uint8Array;
  /** The partials of the current step. */
  readonly held: () => readonly HeldPartial[];
  /** What is being computed now. */
  readonly announced: () => AnnouncedNodes | null;
  /** The stream broke (attempt 0), or could not be opened again; it is tried again. */
  readonly onBroken: (error: LockstepError, attempt: number) => void;
}

/**
 * The way to one shard: a stream that is opened again, with back-off, whenever it breaks, until the link is closed.
 * Every stream begins with what is held of the current step; the shard ignores what it has.
 */
export class ShardLink {
  readonly #options: ShardLinkOptions;
  readonly #backoff = new Backoff();
  #client: ExchangeClient | null = null;
  #isOpen = false;
  #retry: NodeJS.Timeout | null = null;

  constructor(options: ShardLinkOptions) {
    this.#options = options;
    this.#connect();
  }

  /** Sends the shard's slice now; where no stream is open, the next one begins with it. */
  push(partial: HeldPartial): void {
    if (this.#isOpen) this.#send(partial);
  }

  /** Tells a relay what is being computed. */
  announce({ step, nodes }: AnnouncedNodes): void {
    if (this.#isOpen) this.#client?.announce(step, nodes);
  }

  close(): void {
    this.#isOpen = false;
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#client?.close();
  }

  #connect(): void {
    const { role, rank, token, length, versions, initial, address } = this.#options;
    this.#client = new ExchangeClient({
      role, rank, token, length, versions, initial,
      address: address(),
      onOpen: () => this.#opened(),
      onLost: (error) => this.#lost(error),
    });
  }

  #opened(): void {
    const { announced, held } = this.#options;
    this.#isOpen = true;
    this.#backoff.opened(performance.now());
    const underWay = announced();
    if (underWay !== null) this.announce(underWay);
    for (const partial of held()) this.#send(partial);
  }

  #lost(error: LockstepError): void {
    this.#isOpen = false;
    const { waitMs, attempt } = this.#backoff.broke(performance.now());
    this.#options.onBroken(error, attempt);
    this.#retry = setTimeout(() => this.#connect(), waitMs);
  }

  #send(partial: HeldPartial): void {
    this.#client?.push(partial.header, partial.slot, this.#options.sliceOf(partial));
  }
}
