import { createReadStream } from 'node:fs';
import { LockstepError, sha256 } from '@lockstep/core';
import type { BlockReference__Output } from './gen/lockstep/v1/BlockReference.ts';

const CHUNK_BYTES = 512 * 1024;

type Place = { readonly kind: 'file'; readonly path: string } | { readonly kind: 'memory'; readonly bytes: Uint8Array };

/** The content-addressed blocks that a coordinator hands out: files (the data set) and memory (parameters). */
export class BlockShelf {
  readonly #places = new Map<string, Place>();

  /** Offers bytes from memory. */
  put(bytes: Uint8Array): BlockReference__Output {
    const hash = sha256(bytes);
    this.#places.set(hash, { kind: 'memory', bytes });
    return { sha256: hash, numBytes: bytes.byteLength, path: '' };
  }

  /** Offers a file whose SHA-256 and length the caller knows. */
  putFile(path: string, hash: string, numBytes: number): BlockReference__Output {
    this.#places.set(hash, { kind: 'file', path });
    return { sha256: hash, numBytes, path };
  }

  remove(hash: string): void {
    this.#places.delete(hash);
  }

  async *read(hash: string): AsyncGenerator<Uint8Array> {
    const place = this.#places.get(hash);
    if (place === undefined) throw new LockstepError('not-found', `no block ${hash}`);
    if (place.kind === 'file') {
      yield* createReadStream(place.path, { highWaterMark: CHUNK_BYTES });
      return;
    }
    for (let start = 0; start < place.bytes.byteLength; start += CHUNK_BYTES) {
      yield place.bytes.subarray(start, start + CHUNK_BYTES);
    }
  }
}
