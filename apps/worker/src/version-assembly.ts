import type { ShardRange } from '@lockstep/parameter-server';
import type { VersionPort } from '@lockstep/transport';

/** The whole parameters at a version, in shared memory. */
export interface CompleteVersion {
  readonly version: number;
  readonly parameters: Float32Array;
}

interface Arriving {
  readonly parameters: Float32Array;
  missingShards: number;
}

/**
 * Puts the ranges of each version together in shared memory, which the engine thread reads in place. A buffer is
 * reused only after `release`, so a version that arrives early never changes the one that is computed on. A worker
 * that had no part in a step may miss its version: only the newest complete one counts.
 */
export class VersionAssembly {
  readonly #totalLength: number;
  readonly #shards: number;
  readonly #arriving = new Map<number, Arriving>();
  readonly #free: Float32Array[] = [];
  #newest: CompleteVersion | null = null;
  #waiting: { readonly atLeast: number; readonly resolve: (version: CompleteVersion) => void } | null = null;

  constructor(totalLength: number, shards: number) {
    this.#totalLength = totalLength;
    this.#shards = shards;
  }

  /** Where the versions of one shard go. */
  port({ from, to }: ShardRange): VersionPort {
    return {
      reserve: (version) => (version <= (this.#newest?.version ?? -1) ? null : this.#of(version).parameters.subarray(from, to)),
      commit: (version) => this.#commit(version),
      abandon: () => undefined,
    };
  }

  /** The newest version from `atLeast` on, as soon as all its ranges are there; rejects by the signal. One wait at a time. */
  async next(atLeast: number, signal: AbortSignal): Promise<CompleteVersion> {
    signal.throwIfAborted();
    if (this.#newest !== null && this.#newest.version >= atLeast) return this.#newest;
    const { promise, resolve, reject } = Promise.withResolvers<CompleteVersion>();
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    this.#waiting = { atLeast, resolve };
    try {
      return await promise;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** The engine does not read these parameters any more. */
  release(parameters: Float32Array): void {
    this.#free.push(parameters);
  }

  #of(version: number): Arriving {
    const known = this.#arriving.get(version);
    if (known !== undefined) return known;
    const parameters = this.#free.pop() ?? new Float32Array(new SharedArrayBuffer(this.#totalLength * 4));
    const arriving = { parameters, missingShards: this.#shards };
    this.#arriving.set(version, arriving);
    return arriving;
  }

  #commit(version: number): void {
    const arriving = this.#arriving.get(version);
    if (arriving === undefined) return;
    arriving.missingShards -= 1;
    if (arriving.missingShards > 0) return;
    for (const older of this.#arriving.keys()) {
      if (older <= version) this.#arriving.delete(older);
    }
    this.#newest = { version, parameters: arriving.parameters };
    if (this.#waiting === null || version < this.#waiting.atLeast) return;
    this.#waiting.resolve(this.#newest);
    this.#waiting = null;
  }
}
