import { lentFramesOf } from './tensor-frame.ts';
import type { Lent } from './version-outbox.ts';

/**
 * Copies of versions that are on their way to workers, since a shard's parameters change while a slow worker is still
 * being sent the last ones. The memory is used again once no stream reads it: one copy, and one more a worker that lags.
 */
export class VersionCopies {
  readonly #free: Uint8Array[] = [];

  /** A version's frames. */
  take(version: number, parameters: Uint8Array): Lent {
    const copy = this.#free.pop() ?? new Uint8Array(parameters.length);
    copy.set(parameters);
    let holders = 0;
    return {
      parts: lentFramesOf('version', { step: version }, copy),
      hold: () => {
        holders += 1;
      },
      release: () => {
        holders -= 1;
        if (holders === 0) this.#free.push(copy);
      },
    };
  }
}
