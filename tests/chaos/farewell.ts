import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster, Member } from './cluster.ts';

/** For a process to end by itself once the run has. */
const FAREWELL_MS = 10_000;
/** For one that may have missed the end, before it is asked to go, and then to obey. */
const PATIENCE_MS = 3_000;

/** Waits until all processes of a run that has ended have too; gives what is wrong with how. */
export async function farewell(cluster: Cluster, unsettled: ReadonlySet<string>): Promise<readonly string[]> {
  const members = [...cluster.members.values()].filter(({ fate }) => fate !== 'killed');
  const problems = await Promise.all(members.map((member) => (unsettled.has(member.name) || !member.welcomed ? dismiss(member) : goes(member))));
  return problems.flat();
}

/** Ends by itself, and well. */
async function goes({ name, process }: Member): Promise<readonly string[]> {
  const ended = await Promise.race([process.ended, delay(FAREWELL_MS, null)]);
  if (ended === null) return [`${name} is still there ${FAREWELL_MS / 1000} s after the run's end`];
  return ended.exitCode === 0 ? [] : [`${name} ended with ${process.child.signalCode ?? ended.exitCode}: ${ended.stderr.trim()}`];
}

/** One that a fault kept from hearing of the end looks for its coordinator until it is told to stop; twice: at once, as if killed. */
async function dismiss(member: Member): Promise<readonly string[]> {
  const { name, process } = member;
  for (const fate of [null, 'leaving', 'killed'] as const) {
    if (fate !== null) {
      member.fate = fate;
      process.child.kill('SIGTERM');
    }
    if ((await Promise.race([process.ended, delay(PATIENCE_MS, null)])) !== null) return [];
  }
  return [`${name} does not end by SIGTERM`];
}
