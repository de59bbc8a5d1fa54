import type { LockstepError } from '@lockstep/core';
import type { ShardRange } from '@lockstep/parameter-server';
import { encodedBytes } from '@lockstep/reduction';
import type { PlacementMessage, ShardEndpoint__Output, VersionPort } from '@lockstep/transport';
import type { AnnouncedNodes, HeldPartial } from './held-partial.ts';
import { exchangeAddress } from './shard-address.ts';
import { ShardLink } from './shard-link.ts';

export interface ShardLinksOptions {
  readonly rank: number;
  /** Where this worker joined its coordinator. */
  readonly joined: string;
  /** Where the versions of a shard go. */
  readonly versionPort: (shard: number, range: ShardRange) => VersionPort;
  /** The initial parameters, for a shard that asks for its range of them. */
  readonly initial: Float32Array;
  /** Elements of the whole vector, from its start, that are optimized. */
  readonly trainableLength: number;
  /** The partials of the current step. */
  readonly held: () => readonly HeldPartial[];
  /** What is being computed now. */
  readonly announced: () => AnnouncedNodes | null;
  /** A stream broke (attempt 0), or could not be opened again; it is tried again until the shard has moved. */
  readonly onBroken: (shard: number, error: LockstepError, attempt: number) => void;
}

interface Way {
  readonly endpoint: ShardEndpoint__Output;
  /** Of the machine's relay to it, or ''. */
  readonly relayAddress: string;
  readonly token: string;
  readonly link: ShardLink;
}

/** The ways to all shards of one generation. */
export class ShardLinks {
  readonly #options: ShardLinksOptions;
  #ways: readonly Way[] = [];

  constructor(options: ShardLinksOptions) {
    this.#options = options;
  }

  /** Connects to the shards where they are now; the ways to those that have not moved stay. */
  place({ shards, token, relayAddresses }: PlacementMessage): void {
    this.#ways = shards.map((endpoint, shard) => {
      const way = this.#ways[shard];
      const to = { endpoint, relayAddress: relayAddresses[shard] ?? '', token };
      if (way !== undefined && isSame(way, to)) return way;
      way?.link.close();
      return { ...to, link: this.#open(shard, to) };
    });
  }

  /** Sends each shard its slice of a partial. */
  push(partial: HeldPartial): void {
    for (const { link } of this.#ways) link.push(partial);
  }

  announce(nodes: AnnouncedNodes): void {
    for (const { link } of this.#ways) link.announce(nodes);
  }

  close(): void {
    for (const { link } of this.#ways) link.close();
    this.#ways = [];
  }

  #open(shard: number, { endpoint, relayAddress, token }: Omit<Way, 'link'>): ShardLink {
    const { rank, joined, versionPort, initial, trainableLength, held, announced, onBroken } = this.#options;
    const { from, to } = endpoint;
    return new ShardLink({
      role: 'worker', rank, token, held, announced,
      address: () => exchangeAddress(endpoint, relayAddress, joined),
      length: to - from,
      versions: versionPort(shard, endpoint),
      initial: () => initial.subarray(from, to),
      sliceOf: ({ sum, wire }) => {
        const bytesFor = encodedBytes(wire, trainableLength);
        return sum.subarray(bytesFor(from), bytesFor(to));
      },
      onBroken: (error, attempt) => onBroken(shard, error, attempt),
    });
  }
}

const isSame = ({ endpoint, relayAddress, token }: Way, to: Omit<Way, 'link'>): boolean =>
  token === to.token && relayAddress === to.relayAddress && endpoint.unixAddress === to.endpoint.unixAddress && endpoint.tcpAddress === to.endpoint.tcpAddress;
