import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createProcessDirectory } from './process-directory.ts';

const TMPFS = '/dev/shm';
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
    const path = createProcessDirectory(TMPFS);
    const remove = (): void => rmSync(path, { recursive: true, force: true });
    const { bavail, bsize } = statfsSync(TMPFS);
    if (bavail * bsize < neededBytes) {
      remove();
      return null;
    }
    const proof = randomBytes(16).toString('hex');
    writeFileSync(join(path, PROBE_FILE), proof, { mode: 0o600 });
    return { path, proof, remove };
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
