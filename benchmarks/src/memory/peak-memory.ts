import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

export type Role = 'coordinator' | 'worker' | 'parameter server';

/** How often the processes are looked up; the system itself keeps what each had at most. */
const LOOK_MS = 50;

/** The most resident memory, in bytes, that each process which `pid` starts has had, and it itself, by what they are; looked up until the signal. */
export async function peakMemory(pid: number, until: AbortSignal): Promise<ReadonlyMap<Role, number>> {
  const peaks = new Map<Role, number>();
  for (;;) {
    const isLast = until.aborted;
    for (const each of await familyOf(pid)) {
      const [role, bytes] = await Promise.all([roleOf(each), residentPeak(each)]);
      peaks.set(role, Math.max(peaks.get(role) ?? 0, bytes));
    }
    if (isLast) return peaks;
    await delay(LOOK_MS, undefined, { signal: until }).catch(() => undefined);
  }
}

async function familyOf(pid: number): Promise<readonly number[]> {
  const children = (await readProcess(pid, `task/${pid}/children`)).split(' ').filter((text) => text !== '').map(Number);
  return [pid, ...(await Promise.all(children.map(familyOf))).flat()];
}

async function roleOf(pid: number): Promise<Role> {
  const words = (await readProcess(pid, 'cmdline')).split('\0');
  if (words.includes('worker')) return 'worker';
  return words.includes('parameter-server') ? 'parameter server' : 'coordinator';
}

async function residentPeak(pid: number): Promise<number> {
  const [, kibibytes = '0'] = /^VmHWM:\s*(\d+) kB$/m.exec(await readProcess(pid, 'status')) ?? [];
  return Number(kibibytes) * 1024;
}

/** Nothing of a process that has ended. */
const readProcess = (pid: number, file: string): Promise<string> => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
