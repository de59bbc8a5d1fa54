import { mkdir, readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { LockstepError, messageOf } from '@lockstep/core';
import { writeFileAtomically, type FileContents } from './atomic-file.ts';

/**
 * `runs/<name>`: config.json, metrics.jsonl, receipts.jsonl, model/ (model.json, weights.bin), model.safetensors,
 * evaluation.json, report.html.
 */
export interface RunDirectory {
  readonly name: string;
  /** Absolute. */
  readonly path: string;
  /** The absolute path of a file of the run. */
  file(name: string): string;
  /** Writes a file of the run whole or not at all. */
  writeAtomically(name: string, contents: FileContents): Promise<void>;
}

const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

/**
 * Makes the directory of a new run; without a name, one from the date and time, such as `2026-11-22-19-36-05`.
 * @throws LockstepError `usage` if the name is taken or is no plain file name, `storage` if the directory cannot be made.
 */
export async function createRunDirectory(runsDirectory: string, name: string | undefined): Promise<RunDirectory> {
  if (name === undefined) return createUnnamed(runsDirectory, timestamp(new Date()));
  if (!NAME.test(name)) {
    throw new LockstepError('usage', `run name: got ${JSON.stringify(name)}, expected letters, digits, "_", "-" and "."`);
  }
  const directory = await tryCreate(runsDirectory, name);
  if (directory !== null) return directory;
  throw new LockstepError('usage', `run ${name} exists already: ${resolve(runsDirectory, name)}`, {
    hint: 'give another --run NAME, or remove that directory',
  });
}

/**
 * Opens a run by its name under `runsDirectory`, or by its path.
 * @throws LockstepError `not-found` naming where it was looked for and which runs there are.
 */
export async function openRunDirectory(runsDirectory: string, nameOrPath: string): Promise<RunDirectory> {
  for (const path of [resolve(runsDirectory, nameOrPath), resolve(nameOrPath)]) {
    if (await isDirectory(path)) return runDirectory(path);
  }
  const runs = await readdir(runsDirectory).catch(() => []);
  throw new LockstepError('not-found', `no run ${nameOrPath} in ${resolve(runsDirectory)}, and no such directory`, {
    hint: runs.length === 0 ? 'there are no runs yet: lockstep train makes one' : `runs there: ${runs.toSorted().slice(-10).join(', ')}`,
  });
}

async function createUnnamed(runsDirectory: string, base: string): Promise<RunDirectory> {
  for (let count = 1; ; count += 1) {
    const directory = await tryCreate(runsDirectory, count === 1 ? base : `${base}-${count}`);
    if (directory !== null) return directory;
  }
}

/** Null where the directory exists: making it is what claims the name, so two runs never share one. */
async function tryCreate(runsDirectory: string, name: string): Promise<RunDirectory | null> {
  const path = resolve(runsDirectory, name);
  try {
    await mkdir(runsDirectory, { recursive: true });
    await mkdir(path);
    return runDirectory(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST' && (await isDirectory(runsDirectory))) return null;
    throw new LockstepError('storage', `cannot make the run's directory ${path}: ${messageOf(cause)}`, { cause });
  }
}

function runDirectory(path: string): RunDirectory {
  const file = (name: string) => join(path, name);
  return { name: basename(path), path, file, writeAtomically: (name, contents) => writeFileAtomically(file(name), contents) };
}

const isDirectory = (path: string): Promise<boolean> => stat(path).then((found) => found.isDirectory(), () => false);

/** Local time to the second, in an order that sorts: `2026-11-22-19-36-05`. */
function timestamp(now: Date): string {
  const parts = [now.getFullYear(), now.getMonth() + 1, now.getDate(), now.getHours(), now.getMinutes(), now.getSeconds()];
  return parts.map((part) => String(part).padStart(2, '0')).join('-');
}
