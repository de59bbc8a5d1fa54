import { readFile } from 'node:fs/promises';
import { openRunDirectory, type RunDirectory } from '@lockstep/checkpoint';
import { CLUSTER_FIELDS, LockstepError, messageOf, runSchema, type ConfigBundle, type RunConfig } from '@lockstep/core';
import { applyOverrides, type FieldOverride } from '../config/index.ts';

export interface ResumedRun {
  readonly config: RunConfig;
  readonly bundle: ConfigBundle | null;
  readonly directory: RunDirectory;
}

/**
 * What a run was begun with, from its directory, with the settings of the cluster that flags say anew.
 * @throws LockstepError `usage` for a flag that would change the result, `not-found` where there is no such run.
 */
export async function resumeRun(runsDirectory: string, name: string, overrides: readonly FieldOverride[]): Promise<ResumedRun> {
  for (const { path, flag } of overrides) requireClusterField(path, flag);
  const directory = await openRunDirectory(runsDirectory, name);
  const saved = await readJson(directory.file('config.json'));
  const parsed = runSchema.safeParse(applyOverrides(saved as Record<string, never>, overrides), { reportInput: true });
  if (!parsed.success) throw new LockstepError('config', parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n'));
  const bundle = parsed.data.model.kind === 'custom' ? await readJson(directory.file('model-function.json')) as ConfigBundle : null;
  return { config: parsed.data, bundle, directory };
}

function requireClusterField(path: readonly string[], flag: string): void {
  if ((CLUSTER_FIELDS as readonly string[]).includes(path[0] ?? '')) return;
  throw new LockstepError('usage', `${flag} would change what a resumed run trains: only ${CLUSTER_FIELDS.join(', ')} and the number of workers may`, {
    hint: 'leave it out, or train anew under another --run NAME',
  });
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as unknown;
  } catch (cause) {
    throw new LockstepError('storage', `cannot resume: ${path}: ${messageOf(cause)}`, { cause });
  }
}
