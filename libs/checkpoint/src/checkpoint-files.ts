import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isLeftover, temporaryNameOf } from './atomic-file.ts';
import { MANIFEST_FILE, writeManifest, type CheckpointManifest } from './checkpoint-manifest.ts';
import type { CheckpointRequest } from './file-jobs.ts';
import { syncDirectoryNow, writeWhole } from './whole-file.ts';

/**
 * Writes a checkpoint's directory whole or not at all: under a temporary name, synced, then renamed over one that is
 * damaged. What earlier processes left half-written beside it is removed. All calls block: one after another on a thread
 * of their own they take a third of the CPU that they take through promises.
 */
export function writeCheckpointFiles({ directory, files, manifest }: CheckpointRequest): void {
  const temporary = temporaryNameOf(directory);
  const replaced = `${temporary}-replaced`;
  about(dirname(directory), () => makeRoom(dirname(directory)));
  try {
    about(directory, () => {
      mkdirSync(temporary);
      const written = files.map(({ name, chunks }) => [name, writeWhole(join(temporary, name), chunks)]);
      const whole: CheckpointManifest = { ...manifest, files: Object.fromEntries(written) as CheckpointManifest['files'] };
      writeWhole(join(temporary, MANIFEST_FILE), [Buffer.from(writeManifest(whole))]);
      syncDirectoryNow(temporary);
      if (existsSync(directory)) renameSync(directory, replaced);
      renameSync(temporary, directory);
      syncDirectoryNow(dirname(directory));
    });
  } finally {
    for (const left of [temporary, replaced]) rmSync(left, { recursive: true, force: true });
  }
}

/** Removes directories; under its name none is ever seen half empty. */
export function removeDirectories(directories: readonly string[]): void {
  for (const directory of directories) {
    about(directory, () => {
      if (!existsSync(directory)) return;
      const temporary = temporaryNameOf(directory);
      renameSync(directory, temporary);
      rmSync(temporary, { recursive: true });
    });
  }
}

function makeRoom(directory: string): void {
  if (mkdirSync(directory, { recursive: true }) !== undefined) syncDirectoryNow(dirname(directory));
  for (const name of readdirSync(directory).filter(isLeftover)) rmSync(join(directory, name), { recursive: true, force: true });
}

/** The path that an error is told of with. */
function about(path: string, action: () => void): void {
  try {
    action();
  } catch (error) {
    throw Object.assign(error as Error, { path });
  }
}
