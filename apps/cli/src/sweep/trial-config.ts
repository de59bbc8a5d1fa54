import { LockstepError, sha256, type RunConfig } from '@lockstep/core';
import { Command } from 'commander';
import { loadRun, readConfigFlags } from '../config/index.ts';
import { addRunOptions, type SharedOptions } from '../train/run-options.ts';

/** What `lockstep train` would make of a trial's flags. */
export type CheckedTrial =
  | { readonly kind: 'sound'; readonly config: RunConfig; readonly configSha256: string }
  | { readonly kind: 'wrong'; readonly mistakes: readonly string[] };

/**
 * Reads a trial's flags as `lockstep train` does, before any trial starts.
 * @throws LockstepError for what no other value would mend: no such config file, a `--data` that says nothing.
 */
export async function checkTrial(flags: readonly string[]): Promise<CheckedTrial> {
  const command = addRunOptions(new Command('train').exitOverride()).parse(flags, { from: 'user' });
  const { config: configFile, data } = command.opts<SharedOptions>();
  try {
    const { config, customModel } = await loadRun({ configFile, overrides: readConfigFlags(command), dataFlag: data });
    return { kind: 'sound', config, configSha256: sha256(JSON.stringify(config), customModel?.sha256 ?? '') };
  } catch (error) {
    if (!(error instanceof LockstepError) || error.code !== 'config') throw error;
    return { kind: 'wrong', mistakes: error.message.split('\n') };
  }
}
