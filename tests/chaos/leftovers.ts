import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cluster } from './cluster.ts';

/** Files that processes which ended by themselves left in shared memory and among the temporary files; half-made ones in the run. */
export async function findLeftovers(cluster: Cluster, runDirectory: string, logs: string): Promise<readonly string[]> {
  const endedWell = [...cluster.members.values()].filter(({ fate }) => fate !== 'killed').map(({ process }) => process.child.pid);
  const isTheirs = (name: string) => name.split('-').some((part) => endedWell.includes(Number(part)));
  const temporary = await readdir(join(logs, 'tmp')).catch(() => []);
  const checkpoints = await readdir(join(runDirectory, 'checkpoints')).catch(() => []);
  return [
    ...(await readdir('/dev/shm')).filter(isTheirs).map((name) => `left in shared memory: ${name}`),
    ...temporary.filter(isTheirs).map((name) => `left among the temporary files: ${name}`),
    ...checkpoints.filter((name) => !/^step-\d+$/.test(name)).map((name) => `left in the checkpoints: ${name}`),
  ];
}
