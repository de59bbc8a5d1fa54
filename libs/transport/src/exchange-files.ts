import { join } from 'node:path';

/** The file in which a worker puts its partials of one slot. */
export function partialFile(directory: string, rank: number, slot: number): string {
  return join(directory, `partial-${rank}-${slot}`);
}

/** Versions take turns in two files, so that one can still be read while the next is written. */
export const VERSION_SLOTS = 2;

export function versionFile(directory: string, slot: number): string {
  return join(directory, `version-${slot}`);
}
