import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { LockstepError, messageOf } from '@lockstep/core';

const PREFIX = 'lockstep';

/**
 * Makes a directory of this process's own below `parent`, its user's alone (mode 0700), and removes there what processes
 * of this process namespace left behind that are no more: a killed one cannot clean up.
 * @throws LockstepError `storage` where the directory cannot be made.
 */
export function createProcessDirectory(parent: string): string {
  try {
    removeAbandoned(parent);
    return mkdtempSync(join(parent, `${PREFIX}-${processNamespace()}-${process.pid}-`));
  } catch (cause) {
    throw new LockstepError('storage', `cannot make a directory in ${parent}: ${messageOf(cause)}`, { hint: 'set TMPDIR to a directory that this user may write', cause });
  }
}

function removeAbandoned(parent: string): void {
  for (const name of readdirSync(parent)) {
    const [prefix, namespace, pid] = name.split('-');
    if (prefix === PREFIX && namespace === processNamespace() && !isAlive(Number(pid))) tryRemove(join(parent, name));
  }
}

/** What another user left is that user's to remove. */
function tryRemove(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    return;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** Process numbers mean something only within their namespace: containers may share a directory but not these. */
function processNamespace(): string {
  return readlinkSync('/proc/self/ns/pid').replace(/\D/g, '');
}
