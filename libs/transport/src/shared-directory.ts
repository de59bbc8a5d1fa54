import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const TMPFS = '/dev/shm';
const PREFIX = 'lockstep';
const PROBE_FILE = 'probe';

/**
 * A directory of shared files in the machine's tmpfs, its owner's alone (mode 0700). A peer that reads the probe's
 * random bytes back has proved that both sides see the same memory, which a shared host name does not.
 */
export interface SharedDirectory {
  readonly path: string;
  /** What a peer must find in the probe file. */
  readonly proof: string;
  remove(): void;
}

/** Makes the directory, or says null where there is no tmpfs or not `neededBytes` of room in it. */
export function createSharedDirectory(neededBytes: number): SharedDirectory | null {
  try {
    removeAbandoned();
    const { bavail, bsize } = statfsSync(TMPFS);
    if (bavail * bsize < neededBytes) return null;
    const path = mkdtempSync(join(TMPFS, `${PREFIX}-${processNamespace()}-${process.pid}-`));
    const proof = randomBytes(16).toString('hex');
    writeFileSync(join(path, PROBE_FILE), proof, { mode: 0o600 });
    return { path, proof, remove: () => rmSync(path, { recursive: true, force: true }) };
  } catch {
    return null;
  }
}

/** The proof that this process sees the directory, or null where it does not. */
export function probeSharedDirectory(path: string): string | null {
  try {
    return readFileSync(join(path, PROBE_FILE), 'utf8');
  } catch {
    return null;
  }
}

/** Removes what processes of this process namespace left behind that are no more: a killed one cannot clean up. */
function removeAbandoned(): void {
  for (const name of readdirSync(TMPFS)) {
    const [prefix, namespace, pid] = name.split('-');
    if (prefix === PREFIX && namespace === processNamespace() && !isAlive(Number(pid))) tryRemove(join(TMPFS, name));
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

/** Process numbers mean something only within their namespace: containers may share a tmpfs but not these. */
function processNamespace(): string {
  return readlinkSync('/proc/self/ns/pid').replace(/\D/g, '');
}
