import { readdir, readFile, readlink } from 'node:fs/promises';

const LISTENING = '0A';

/** The TCP ports on which a process of this machine listens (IPv4; proc_pid_net(5)). */
export async function listeningPorts(pid: number): Promise<number[]> {
  const inodes = await socketInodes(pid);
  const rows = (await readFile(`/proc/${pid}/net/tcp`, 'utf8')).trim().split('\n').slice(1).map((row) => row.trim().split(/\s+/));
  return rows
    .filter((row) => row[3] === LISTENING && inodes.has(row[9]!))
    .map((row) => Number.parseInt(row[1]!.split(':')[1]!, 16));
}

/** The most memory that a process has had resident, in MiB. */
export async function peakMemoryMiB(pid: number): Promise<number> {
  const peakKiB = /^VmHWM:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(peakKiB) / 1024;
}

async function socketInodes(pid: number): Promise<ReadonlySet<string>> {
  const links = await Promise.all((await readdir(`/proc/${pid}/fd`)).map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')));
  return new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
}
