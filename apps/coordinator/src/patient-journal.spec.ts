import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRunDirectory, openJournal, type JournalEntry } from '@lockstep/checkpoint';
import type { LockstepError } from '@lockstep/core';
import { expect, it } from 'vitest';
import { PatientJournal } from './patient-journal.ts';

it('does not wait for room where the journal refuses an entry', async () => {
  const runs = await mkdtemp(join(tmpdir(), 'patient-journal-'));
  try {
    const failures: LockstepError[] = [];
    const warnings: string[] = [];
    const journal = new PatientJournal(openJournal(await createRunDirectory(runs, 'run'), { hostname: 'here', pid: process.pid }), {
      patienceMs: 600_000, onWarning: (message) => warnings.push(message), onFailure: (error) => failures.push(error),
    });
    journal.append({ kind: 'rank', rank: -1, hostname: 'here', pid: 1 } satisfies JournalEntry);
    expect(failures).toMatchObject([{ code: 'protocol', message: expect.stringContaining('rank') as string }]);
    expect(warnings).toEqual([]);
    journal.close();
  } finally {
    await rm(runs, { recursive: true, force: true });
  }
});
