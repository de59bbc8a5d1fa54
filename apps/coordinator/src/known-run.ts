import { randomBytes, randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { CLUSTER_FIELDS, LockstepError, sha256, type RunConfig } from '@lockstep/core';
import { openJournal, replayJournal, type Journal, type JournalState, type RunDirectory } from '@lockstep/checkpoint';

/** A run's journal, opened and locked, and what it says of the run: nothing yet of a new one but who it is. */
export interface OpenRun {
  readonly journal: Journal;
  readonly state: JournalState;
  readonly runId: string;
  readonly token: string;
  readonly configSha256: string;
  /** It was begun by an earlier process. */
  readonly isResumed: boolean;
}

/** What the result depends on: two configs of equal hash train the same weights. */
export function resultConfigSha256(config: RunConfig): string {
  return sha256(JSON.stringify(Object.fromEntries(Object.entries(config).filter(([field]) => !(CLUSTER_FIELDS as readonly string[]).includes(field)))));
}

/**
 * Opens the run's journal and makes this process its coordinator.
 * @throws LockstepError `usage` when another holds it, when there is nothing to resume, or when it is another run's.
 */
export function openRun(directory: RunDirectory, config: RunConfig, resume: boolean): OpenRun {
  const journal = openJournal(directory, { pid: process.pid, hostname: hostname() });
  try {
    const state = replayJournal(journal.entries);
    const configSha256 = resultConfigSha256(config);
    if (resume) requireResumable(state, directory.name, configSha256);
    const runId = state.run?.runId ?? randomUUID();
    return { journal, state, runId, token: state.run?.token ?? randomBytes(16).toString('hex'), configSha256, isResumed: state.run !== null };
  } catch (error) {
    journal.close();
    throw error;
  }
}

function requireResumable(state: JournalState, name: string, configSha256: string): void {
  if (state.run === null) throw new LockstepError('usage', `run ${name} has no journal of what it was: there is nothing to go on with`, { hint: 'train anew under another --run NAME' });
  if (state.end !== null) throw new LockstepError('usage', `run ${name} has ended: there is nothing to resume`, { hint: `lockstep evaluate ${name} shows what it came to` });
  if (state.run.configSha256 !== configSha256) {
    throw new LockstepError('config', `run ${name} was begun with another config: only ${CLUSTER_FIELDS.join(', ')} may change when it is resumed`);
  }
}
