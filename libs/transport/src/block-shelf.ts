import { createReadStream } from 'node:fs';
import { LockstepError, sha256 } from '@lockstep/core';
import { BLOCK_CHUNK_BYTES } from './coordinator-service.ts';
import type { BlockReference__Output } from './gen/lockstep/v1/BlockReference.ts';

type Place = { readonly kind: 'file'; readonly path: string } | { readonly kind: 'memory'; readonly bytes: Uint8Array };

/**
 * The content-addressed blocks of a coordinator. It offers files (the data set) and memory (parameters); what hosts have
 * put (copies of shards) lies here until it is taken.
 */
export class BlockShelf {
  readonly #places = new Map<string, Place>();
  /** By SHA-256: equal blocks may come from several hosts, and each is taken once. */
  readonly #arrived = new Map<string, Uint8Array[]>();
  #numHere = 0;

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

  /** Keeps a block that came from a host, whose SHA-256 has been checked, until `take` or `forget`. */
  arrive(hash: string, bytes: Uint8Array): BlockReference__Output {
    const equal = this.#arrived.get(hash);
    if (equal === undefined) this.#arrived.set(hash, [bytes]);
    else equal.push(bytes);
    return { sha256: hash, numBytes: bytes.byteLength, path: '' };
  }

  /** The same for a block from within this process, where nothing can change on the way: a name of its own does for the hash. */
  arriveHere(bytes: Uint8Array): BlockReference__Output {
    this.#numHere += 1;
    return this.arrive(`here-${this.#numHere}`, bytes);
  }

  /** Gives a block that a host has put, once. Throws `not-found` where there is none. */
  take(hash: string): Uint8Array {
    const bytes = this.#arrived.get(hash)?.[0];
    if (bytes === undefined) throw new LockstepError('not-found', `no host has put block ${hash}`);
    this.forget(hash, bytes);
    return bytes;
  }

  /** Lets go of a block that has arrived. Gives back whether it still lay here. */
  forget(hash: string, bytes: Uint8Array): boolean {
    const equal = this.#arrived.get(hash) ?? [];
    const rest = equal.filter((each) => each !== bytes);
    if (rest.length === 0) this.#arrived.delete(hash);
    else this.#arrived.set(hash, rest);
    return rest.length < equal.length;
  }

  async *read(hash: string): AsyncGenerator<Uint8Array> {
    const place = this.#places.get(hash);
    if (place === undefined) throw new LockstepError('not-found', `no block ${hash}`);
    if (place.kind === 'file') {
      yield* createReadStream(place.path, { highWaterMark: BLOCK_CHUNK_BYTES });
      return;
    }
    for (let start = 0; start < place.bytes.byteLength; start += BLOCK_CHUNK_BYTES) {
      yield place.bytes.subarray(start, start + BLOCK_CHUNK_BYTES);
    }
  }
}
