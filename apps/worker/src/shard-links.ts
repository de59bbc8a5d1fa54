import type { LockstepError } from '@lockstep/core';
import type { ShardRange } from '@lockstep/parameter-server';
import type { PlacementMessage, VersionPort } from '@lockstep/transport';
import type { HeldPartial } from './held-partial.ts';
import { ShardLink } from './shard-link.ts';

export interface ShardLinksOptions {
  readonly rank: number;
  /** Where this worker joined its coordinator. */
  readonly joined: string;
  /** Where the versions of a shard go. */
  readonly versionPort: (shard: number, range: ShardRange) => VersionPort;
  /** The initial parameters, for a shard that asks for its range of them. */
  readonly initial: Float32Array;
  /** Bytes of a partial's first elements. */
  readonly partialBytes: (length: number) => number;
  /** The partials of the current step. */
  readonly held: () => readonly HeldPartial[];
  /** A stream broke (attempt 0), or could not be opened again; it is tried again until the shard has moved. */
  readonly onBroken: (shard: number, error: LockstepError, attempt: number) => void;
}

/** The ways to all shards of one generation. */
export class ShardLinks {
  readonly #options: ShardLinksOptions;
  #links: readonly ShardLink[] = [];

  constructor(options: ShardLinksOptions) {
    this.#options = options;
  }

  /** Connects to the shards where they are now; the ways to those that have not moved stay. */
  place({ shards, token }: PlacementMessage): void {
    const { rank, joined, versionPort, initial, partialBytes, held, onBroken } = this.#options;
    this.#links = shards.map((endpoint, shard) => {
      const link = this.#links[shard];
      if (link?.leadsTo(endpoint, token) === true) return link;
      link?.close();
      return new ShardLink({
        rank, joined, endpoint, token, initial, partialBytes, held, versions: versionPort(shard, endpoint), onBroken: (error, attempt) => onBroken(shard, error, attempt),
      });
    });
  }

  /** Sends each shard its slice of a partial. */
  push(partial: HeldPartial): void {
    for (const link of this.#links) link.push(partial);
  }

  close(): void {
    for (const link of this.#links) link.close();
    this.#links = [];
  }
}
