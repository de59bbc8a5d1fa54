import { bytesOf } from '@lockstep/core';
import type { ShardRange } from '@lockstep/parameter-server';
import type { VersionPort } from '@lockstep/transport';

/** The whole parameters at a version, in shared memory. */
export interface CompleteVersion {
  readonly version: number;
  readonly parameters: Float32Array;
}

interface Arriving {
  readonly parameters: Float32Array;
  /** The shards whose range is there. */
  readonly there: Set<number>;
}

/** Versions that may be incomplete at once: shards are a step apart at most, streams that lag some more. */
const MAX_ARRIVING = 4;

/**
 * Puts the ranges of each version together in shared memory, which the engine thread reads in place. A worker that had
 * no part in a step may miss its version: only the newest complete one counts. Memory is used again once neither the
 * worker nor its engine needs it, so a version that arrives early never changes the one that is computed on.
 */
export class VersionAssembly {
  readonly #totalLength: number;
  readonly #shards: number;
  readonly #onNewest: (version: number) => void;
  readonly #arriving = new Map<number, Arriving>();
  readonly #free: Float32Array[] = [];
  #newest: CompleteVersion | null = null;
  #taken: Float32Array | null = null;
  #loaded: Float32Array | null = null;

  /** `onNewest` is told of each version that is complete and newer than those before. */
  constructor(totalLength: number, shards: number, onNewest: (version: number) => void) {
    this.#totalLength = totalLength;
    this.#shards = shards;
    this.#onNewest = onNewest;
  }

  /** Where the versions of one shard go. One that comes again, after a reconnection, is of no use. */
  port(shard: number, { from, to }: ShardRange): VersionPort {
    return {
      bytes: 4 * (to - from),
      reserve: (version) => {
        if (version <= this.#newestVersion || this.#arriving.get(version)?.there.has(shard) === true) return null;
        return bytesOf(this.#of(version).parameters.subarray(from, to));
      },
      commit: (version) => this.#commit(version, shard),
      abandon: () => undefined,
    };
  }

  hasNewerThan(version: number): boolean {
    return this.#newestVersion > version;
  }

  /** The newest complete version from `atLeast` on, if there is one; it stays as it is until the next is taken. */
  take(atLeast: number): CompleteVersion | null {
    if (this.#newest === null || this.#newest.version < atLeast) return null;
    if (this.#newest.parameters === this.#taken) return this.#newest;
    if (this.#taken !== null && this.#taken !== this.#loaded) this.#free.push(this.#taken);
    this.#taken = this.#newest.parameters;
    return this.#newest;
  }

  /** The engine has loaded the version taken last: it stays as it is until the engine has loaded another. */
  markLoaded(): void {
    if (this.#loaded !== null && this.#loaded !== this.#taken) this.#free.push(this.#loaded);
    this.#loaded = this.#taken;
  }

  get #newestVersion(): number {
    return this.#newest?.version ?? -1;
  }

  #of(version: number): Arriving {
    const known = this.#arriving.get(version);
    if (known !== undefined) return known;
    const parameters = this.#free.pop() ?? new Float32Array(new SharedArrayBuffer(this.#totalLength * 4));
    const arriving = { parameters, there: new Set<number>() };
    this.#arriving.set(version, arriving);
    // A stream may be writing into it still, so its memory is not used again.
    if (this.#arriving.size > MAX_ARRIVING) this.#arriving.delete(Math.min(...this.#arriving.keys()));
    return arriving;
  }

  #commit(version: number, shard: number): void {
    const arriving = this.#arriving.get(version);
    if (arriving === undefined) return;
    arriving.there.add(shard);
    if (arriving.there.size < this.#shards) return;
    for (const older of this.#arriving.keys()) {
      if (older <= version) this.#arriving.delete(older);
    }
    if (this.#newest !== null && this.#newest.parameters !== this.#taken) this.#free.push(this.#newest.parameters);
    this.#newest = { version, parameters: arriving.parameters };
    this.#onNewest(version);
  }
}
