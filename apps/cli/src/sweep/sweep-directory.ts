import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createRunDirectory, openRunDirectory, type RunDirectory } from '@lockstep/checkpoint';
import { LockstepError, messageOf } from '@lockstep/core';
import { sweepPlanSchema, type SweepPlan } from './sweep-plan.ts';

const PLAN = 'sweep.json';

/** `runs/<sweep>`: sweep.json, sweep.html and the directory of each trial's run. */
export interface Sweep {
  readonly directory: RunDirectory;
  readonly plan: SweepPlan;
}

/** Makes the directory of a new sweep. @throws LockstepError `usage` if the name is taken or is no plain file name. */
export async function createSweep(runsDirectory: string, name: string | undefined, plan: SweepPlan): Promise<Sweep> {
  const taken = name !== undefined && await stat(join(runsDirectory, name)).then(() => true, () => false);
  if (taken) throw new LockstepError('usage', `${join(runsDirectory, name)} exists already`, { hint: `give another --name, or go on with it: lockstep sweep --resume ${name}` });
  const directory = await createRunDirectory(runsDirectory, name);
  await savePlan({ directory, plan });
  return { directory, plan };
}

/** @throws LockstepError `not-found` where there is no such sweep, `storage` where its plan is damaged. */
export async function openSweep(runsDirectory: string, name: string): Promise<Sweep> {
  const directory = await openRunDirectory(runsDirectory, name);
  const text = await readFile(directory.file(PLAN), 'utf8').catch((cause: unknown) => {
    throw new LockstepError('not-found', `${directory.path} is no sweep: ${messageOf(cause)}`, { cause });
  });
  return { directory, plan: parsePlan(directory.file(PLAN), text) };
}

export const savePlan = ({ directory, plan }: Sweep): Promise<void> => directory.writeAtomically(PLAN, `${JSON.stringify(plan, null, 2)}\n`);

function parsePlan(path: string, text: string): SweepPlan {
  try {
    return sweepPlanSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new LockstepError('storage', `${path}: not the plan of a sweep: ${messageOf(cause)}`, { cause });
  }
}
