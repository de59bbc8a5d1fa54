import { access, readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { openJournal, openRunDirectory, replayJournal, type EntryOf, type Journal, type RunDirectory } from '@lockstep/checkpoint';
import { LockstepError } from '@lockstep/core';

/** How far the run of a trial has come, as its own files say. */
export type TrialState =
  /** Nothing that could be gone on with. */
  | { readonly kind: 'new' }
  | { readonly kind: 'begun'; readonly epochs: readonly EpochResult[] }
  | { readonly kind: 'ended'; readonly epochs: readonly EpochResult[]; readonly testLoss: number; readonly parametersSha256: string };

/** What an epoch came to. */
export type EpochResult = Pick<EntryOf<'epoch'>, 'epoch' | 'loss' | 'validation' | 'elapsedSeconds'>;

/** How long a process whose parent was killed may take to end. */
const HOLDER_PATIENCE_MS = 10_000;
const HOLDER_POLL_MS = 100;

/** @throws LockstepError `usage` where a process trains it right now, `storage` where its files are damaged. */
export async function readTrialState(sweepDirectory: string, runName: string): Promise<TrialState> {
  const run = await openRunDirectory(sweepDirectory, runName).catch(() => null);
  if (run === null || !(await access(run.file('journal.sqlite')).then(() => true, () => false))) return { kind: 'new' };
  const journal = await openFreeJournal(run);
  const { run: begun, epochs, end } = replayJournal(journal.entries);
  journal.close();
  if (begun === null) return { kind: 'new' };
  if (end === null) return { kind: 'begun', epochs };
  return { kind: 'ended', epochs, testLoss: await readTestLoss(run), parametersSha256: end.parametersSha256 };
}

async function openFreeJournal(run: RunDirectory): Promise<Journal> {
  for (const deadlineMs = performance.now() + HOLDER_PATIENCE_MS; ; await wait(HOLDER_POLL_MS)) {
    try {
      return openJournal(run, { pid: process.pid, hostname: hostname() });
    } catch (error) {
      const isHeld = error instanceof LockstepError && error.code === 'usage';
      if (!isHeld || performance.now() > deadlineMs) throw error;
    }
  }
}

async function readTestLoss(run: RunDirectory): Promise<number> {
  const { loss } = JSON.parse(await readFile(run.file('evaluation.json'), 'utf8')) as { loss: number | null };
  return loss ?? NaN;
}
