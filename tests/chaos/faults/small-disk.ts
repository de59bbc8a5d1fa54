import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { command } from '@lockstep/testbed';

const DISK_BYTES = 96 * 2 ** 20;
const BLOCK = Buffer.alloc(64 * 1024);

/** A disk of its own for a run's directory, small enough to be filled. */
export class SmallDisk implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async mount(path: string): Promise<SmallDisk> {
    await mkdir(path);
    await command('mount', '-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'lockstep-chaos', path);
    return new SmallDisk(path);
  }

  /** Leaves not one byte. */
  fill(): void {
    const file = openSync(this.#filler, 'a');
    try {
      for (let size = BLOCK.length; size >= 1;) {
        try {
          writeSync(file, BLOCK, 0, size);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
          size = Math.floor(size / 2);
        }
      }
    } finally {
      closeSync(file);
    }
  }

  free(): void {
    rmSync(this.#filler, { force: true });
  }

  get #filler(): string {
    return join(this.path, 'filler');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await command('umount', '--lazy', this.path);
  }
}
