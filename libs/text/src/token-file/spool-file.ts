import { closeSync, fsyncSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { LockstepError, messageOf } from '@lockstep/core';

const BUFFER_BYTES = 1024 ** 2;

/** A temporary file that grows at its end through a buffer, and is removed at the end of the scope unless it was renamed. */
export class SpoolFile implements Disposable {
  readonly path: string;
  readonly #descriptor: number;
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  #buffered = 0;
  #written = 0;

  /** Throws `storage` where the file cannot be made. */
  constructor(path: string) {
    this.path = path;
    this.#descriptor = this.#orStorageError(() => openSync(path, 'w+'));
  }

  get length(): number {
    return this.#written + this.#buffered;
  }

  append(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length;) {
      const part = bytes.subarray(from, from + BUFFER_BYTES - this.#buffered);
      this.#buffer.set(part, this.#buffered);
      this.#buffered += part.length;
      from += part.length;
      if (this.#buffered === BUFFER_BYTES) this.flush();
    }
  }

  /** Zeros up to this length. */
  extendTo(length: number): void {
    this.append(new Uint8Array(length - this.length));
  }

  /** The whole of another one. */
  appendFile(other: SpoolFile): void {
    other.flush();
    const chunk = new Uint8Array(BUFFER_BYTES);
    for (let from = 0; from < other.length;) {
      const numRead = readSync(other.#descriptor, chunk, 0, chunk.length, from);
      this.append(chunk.subarray(0, numRead));
      from += numRead;
    }
  }

  /** Replaces the beginning. */
  overwriteStart(bytes: Uint8Array): void {
    this.#orStorageError(() => writeSync(this.#descriptor, bytes, 0, bytes.length, 0));
  }

  flush(): void {
    for (let done = 0; done < this.#buffered;) {
      done += this.#orStorageError(() => writeSync(this.#descriptor, this.#buffer, done, this.#buffered - done, this.#written + done));
    }
    this.#written += this.#buffered;
    this.#buffered = 0;
  }

  /** To the disk, so that a name that is given to it afterwards is that of the whole file. */
  sync(): void {
    this.#orStorageError(() => fsyncSync(this.#descriptor));
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
    rmSync(this.path, { force: true });
  }

  #orStorageError<T>(operation: () => T): T {
    try {
      return operation();
    } catch (cause) {
      throw new LockstepError('storage', `cannot write ${this.path}: ${messageOf(cause)}`, { cause });
    }
  }
}
