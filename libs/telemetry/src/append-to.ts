import { LockstepError, messageOf, onceThereIsRoom } from '@lockstep/core';
import { mkdirSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Writable } from 'node:stream';

/**
 * A stream that appends to a file, whose directory is made where it is missing. While the disk is full it waits for room,
 * until it is ended. Throws `storage` where the directory cannot be made.
 */
export function appendTo(path: string): Writable {
  try {
    mkdirSync(dirname(path), { recursive: true });
  } catch (error) {
    throw new LockstepError('storage', `cannot make ${dirname(path)}: ${messageOf(error)}`, { cause: error });
  }
  return new AppendStream(path);
}

class AppendStream extends Writable {
  readonly #path: string;
  #file: FileHandle | null = null;

  constructor(path: string) {
    super();
    this.#path = path;
  }

  override _construct(done: (error?: Error | null) => void): void {
    open(this.#path, 'a').then((file) => { this.#file = file; done(); }, done);
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#append(bytes).then(() => done(), done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (this.#file === null) done(error);
    else this.#file.close().then(() => done(error), (failure: Error) => done(error ?? failure));
  }

  /** A full disk may take a part of what it is given. */
  async #append(bytes: Buffer): Promise<void> {
    for (let written = 0; written < bytes.length;) {
      written += (await onceThereIsRoom(() => this.#file!.write(bytes, written), { goOn: () => !this.writableEnded })).bytesWritten;
    }
  }
}
