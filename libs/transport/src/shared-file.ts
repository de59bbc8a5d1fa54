import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { bytesOf } from '@lockstep/core';

const STAMP_BYTES = 8;

/**
 * A file in a tmpfs that one process writes and others of the same machine read at memory speed.
 * A stamp before the bytes says what is in the file, so that a reader that comes too late, when the writer has begun
 * to write something newer, notices.
 */
export class SharedFile {
  #descriptor: number | null;
  readonly #stamp = new BigUint64Array(1);

  private constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** Creates the file, readable by this user alone; fails where it exists. */
  static create(path: string): SharedFile {
    return new SharedFile(openSync(path, 'wx+', 0o600));
  }

  static open(path: string): SharedFile {
    const descriptor = openSync(path, 'r');
    if (fstatSync(descriptor).isFile()) return new SharedFile(descriptor);
    closeSync(descriptor);
    throw new Error(`${path} is not a plain file`);
  }

  /** Puts bytes at `offset`, under a stamp. Throws ENOSPC where the tmpfs is full. */
  write(stamp: number, offset: number, bytes: Uint8Array): void {
    const descriptor = this.#openDescriptor();
    this.#writeStamp(-1);
    writeFully(descriptor, bytes, STAMP_BYTES + offset);
    this.#writeStamp(stamp);
  }

  /** Fills `bytes` from `offset`. False when the file does not hold what `stamp` says, or did not stay so. */
  read(stamp: number, offset: number, bytes: Uint8Array): boolean {
    const descriptor = this.#openDescriptor();
    return this.#readStamp() === stamp
      && readFully(descriptor, bytes, STAMP_BYTES + offset)
      && this.#readStamp() === stamp;
  }

  close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
  }

  /** The system gives the number of a closed descriptor to the next file, so nothing may use it. */
  #openDescriptor(): number {
    if (this.#descriptor === null) throw new Error('the shared file is closed');
    return this.#descriptor;
  }

  #writeStamp(stamp: number): void {
    this.#stamp[0] = BigInt.asUintN(64, BigInt(stamp));
    writeFully(this.#openDescriptor(), bytesOf(this.#stamp), 0);
  }

  #readStamp(): number {
    return readFully(this.#openDescriptor(), bytesOf(this.#stamp), 0) ? Number(BigInt.asIntN(64, this.#stamp[0] ?? 0n)) : -1;
  }
}

function writeFully(descriptor: number, bytes: Uint8Array, position: number): void {
  let done = 0;
  while (done < bytes.byteLength) done += writeSync(descriptor, bytes, done, bytes.byteLength - done, position + done);
}

function readFully(descriptor: number, bytes: Uint8Array, position: number): boolean {
  let done = 0;
  while (done < bytes.byteLength) {
    const count = readSync(descriptor, bytes, done, bytes.byteLength - done, position + done);
    if (count === 0) return false;
    done += count;
  }
  return true;
}
