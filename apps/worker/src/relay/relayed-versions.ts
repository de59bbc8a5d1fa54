import type { VersionPort } from '@lockstep/transport';

/** The versions that arrive at a relay, as they travel. The newest stays as it is until the next is whole. */
export class RelayedVersions implements VersionPort {
  readonly bytes: number;
  readonly #onVersion: (version: number, parameters: Uint8Array) => void;
  readonly #arriving = new Map<number, Uint8Array>();
  readonly #free: Uint8Array[] = [];
  #newest = -1;
  #shown: Uint8Array | null = null;

  constructor(bytes: number, onVersion: (version: number, parameters: Uint8Array) => void) {
    this.bytes = bytes;
    this.#onVersion = onVersion;
  }

  reserve(version: number): Uint8Array | null {
    if (version <= this.#newest || this.#arriving.has(version)) return null;
    const parameters = this.#free.pop() ?? new Uint8Array(this.bytes);
    this.#arriving.set(version, parameters);
    return parameters;
  }

  commit(version: number): void {
    const parameters = this.#take(version);
    if (version <= this.#newest) return void this.#free.push(parameters);
    const before = this.#shown;
    this.#newest = version;
    this.#shown = parameters;
    this.#onVersion(version, parameters);
    if (before !== null) this.#free.push(before);
  }

  abandon(version: number): void {
    this.#free.push(this.#take(version));
  }

  #take(version: number): Uint8Array {
    const parameters = this.#arriving.get(version);
    if (parameters === undefined) throw new Error(`version ${version} is not on its way`);
    this.#arriving.delete(version);
    return parameters;
  }
}
