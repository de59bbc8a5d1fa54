import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { layOutParameters, type ParameterLayout } from '@lockstep/core';
import { runFileJob, type FileError } from './file-jobs.ts';
import type { RunDirectory } from './run-directory.ts';
import { storageError } from './storage-error.ts';

const NAME = /^step-(\d{8,15})$/;

export const checkpointsOf = (run: RunDirectory): string => run.file('checkpoints');

/** `checkpoints/step-00001200` for version 1200. */
export const checkpointDirectory = (run: RunDirectory, version: number): string =>
  join(checkpointsOf(run), `step-${String(version).padStart(8, '0')}`);

/**
 * The versions that a run has checkpoints of, oldest first; whether they are whole, only reading them tells.
 * @throws LockstepError `storage` if the directory cannot be read.
 */
export async function listCheckpoints(run: RunDirectory): Promise<number[]> {
  const names = await readdir(checkpointsOf(run)).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return [];
    throw storageError(`cannot list ${checkpointsOf(run)}`, cause);
  });
  return names.flatMap((name) => NAME.exec(name)?.[1] ?? []).map(Number).toSorted((a, b) => a - b);
}

/**
 * Removes checkpoints, each whole or not at all; one that is not there is none to remove.
 * @throws LockstepError `storage` naming the first that cannot be removed.
 */
export async function removeCheckpoints(run: RunDirectory, versions: readonly number[]): Promise<void> {
  if (versions.length === 0) return;
  await runFileJob({ kind: 'remove', directories: versions.map((version) => checkpointDirectory(run, version)) }).catch((cause: FileError) => {
    throw storageError(`cannot remove ${cause.path ?? checkpointsOf(run)}`, cause);
  });
}

/** How the optimizer's slots lie one after another, each over all trainable parameters: `exp_avg/conv1/kernel`. */
export function slotLayout(slotNames: readonly string[], { parameters }: ParameterLayout): ParameterLayout {
  const trainable = parameters.filter(({ kind }) => kind === 'trainable');
  return layOutParameters(slotNames.flatMap((slot) => trainable.map(({ name, shape }) => ({ name: `${slot}/${name}`, shape, kind: 'trainable' as const }))));
}
