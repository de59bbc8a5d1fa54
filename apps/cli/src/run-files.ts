import { readFile } from 'node:fs/promises';
import type { RunDirectory } from '@lockstep/checkpoint';
import { LockstepError, runSchema, type RunConfig } from '@lockstep/core';

/** @throws LockstepError `not-found` if the run has no such file. */
export async function readRunFile(run: RunDirectory, name: string): Promise<Buffer> {
  try {
    return await readFile(run.file(name));
  } catch (cause) {
    throw new LockstepError('not-found', `run ${run.name} has no ${name}: ${run.file(name)}`, { cause, hint: 'a run has its model once it has ended' });
  }
}

/** @throws LockstepError `not-found` as `readRunFile`, `storage` if it is no config. */
export async function readRunConfig(run: RunDirectory): Promise<RunConfig> {
  const text = (await readRunFile(run, 'config.json')).toString('utf8');
  try {
    return runSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new LockstepError('storage', `${run.file('config.json')}: not the config of a run`, { cause });
  }
}
