import type { LockstepError } from '@lockstep/core';
import { Backoff } from '@lockstep/scheduling';
import { ExchangeClient, type ShardEndpoint__Output, type VersionPort } from '@lockstep/transport';
import type { HeldPartial } from './held-partial.ts';
import { shardAddress } from './shard-address.ts';

export interface ShardLinkOptions {
  readonly rank: number;
  /** Where this worker joined its coordinator. */
  readonly joined: string;
  readonly endpoint: ShardEndpoint__Output;
  readonly token: string;
  readonly versions: VersionPort;
  /** The initial parameters of the whole vector. */
  readonly initial: Float32Array;
  /** Bytes of a partial's first elements. */
  readonly partialBytes: (length: number) => number;
  /** The partials of the current step. */
  readonly held: () => readonly HeldPartial[];
  /** The stream broke (attempt 0), or could not be opened again; it is tried again. */
  readonly onBroken: (error: LockstepError, attempt: number) => void;
}

/**
 * The way to one shard: a stream that is opened again, with back-off, whenever it breaks, until the link is closed.
 * Every stream begins with what the worker holds of the current step; the shard ignores what it has.
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

  /** Whether this is the way to the shard at that endpoint. */
  leadsTo({ unixAddress, tcpAddress }: ShardEndpoint__Output, token: string): boolean {
    const { endpoint } = this.#options;
    return endpoint.unixAddress === unixAddress && endpoint.tcpAddress === tcpAddress && this.#options.token === token;
  }

  close(): void {
    this.#isOpen = false;
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#client?.close();
  }

  #connect(): void {
    const { rank, joined, endpoint, token, versions, initial } = this.#options;
    this.#client = new ExchangeClient({
      rank, token, versions,
      address: shardAddress(endpoint, joined),
      length: endpoint.to - endpoint.from,
      initial: () => initial.subarray(endpoint.from, endpoint.to),
      onOpen: () => this.#opened(),
      onLost: (error) => this.#lost(error),
    });
  }

  #opened(): void {
    this.#isOpen = true;
    this.#backoff.opened(performance.now());
    for (const partial of this.#options.held()) this.#send(partial);
  }

  #lost(error: LockstepError): void {
    this.#isOpen = false;
    const { waitMs, attempt } = this.#backoff.broke(performance.now());
    this.#options.onBroken(error, attempt);
    this.#retry = setTimeout(() => this.#connect(), waitMs);
  }

  #send({ header, slot, sum }: HeldPartial): void {
    const { endpoint: { from, to }, partialBytes } = this.#options;
    this.#client?.push(header, slot, sum.subarray(partialBytes(from), partialBytes(to)));
  }
}
