import { readFile } from 'node:fs/promises';
import { openRunDirectory } from '@lockstep/checkpoint';
import { LockstepError, messageOf, type RunEvent } from '@lockstep/core';
import { measureRun, type MeasuredRun } from '@lockstep/simulation';

/** What the runs of these names or paths took, by their `metrics.jsonl`. */
export function readMeasuredRuns(runsDirectory: string, runs: readonly string[]): Promise<MeasuredRun[]> {
  return Promise.all(runs.map(async (run) => {
    const directory = await openRunDirectory(runsDirectory, run);
    return measureRun(await readEvents(directory.file('metrics.jsonl')));
  }));
}

async function readEvents(path: string): Promise<RunEvent[]> {
  try {
    const text = await readFile(path, 'utf8');
    return text.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as RunEvent);
  } catch (cause) {
    throw new LockstepError('storage', `${path}: ${messageOf(cause)}`, { cause });
  }
}
