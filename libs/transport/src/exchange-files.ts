import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** The file in which a connection's worker puts its partials of one slot. `connection` is checked before it comes here. */
export function partialFile(directory: string, connection: string, slot: number): string {
  return join(directory, `partial-${connection}-${slot}`);
}

/** Removes what a connection that has ended left behind; where the directory has gone, so have they. */
export function removePartialFiles(directory: string, connection: string): void {
  try {
    for (const name of readdirSync(directory)) {
      if (name.startsWith(`partial-${connection}-`)) rmSync(join(directory, name), { force: true });
    }
  } catch {
    return;
  }
}

/** Versions take turns in two files, so that one can still be read while the next is written. */
export const VERSION_SLOTS = 2;

export function versionFile(directory: string, slot: number): string {
  return join(directory, `version-${slot}`);
}
