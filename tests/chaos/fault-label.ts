import { assertNever } from '@lockstep/core';
import type { Fault, Shape } from './schedule.ts';

/** What the cluster was like when a fault struck. */
export interface Circumstances {
  readonly shape: Shape;
  /** Every shard had a replica in step with it, and no other fault was upon the cluster: no step may be lost. */
  readonly isGuarded: boolean;
}

/** The row of the table that a fault counts in. */
export function labelOf(fault: Fault, at: Circumstances): string {
  switch (fault.kind) {
    case 'kill': return `kill -9 ${roleOf(fault.target, at)}`;
    case 'restart-coordinator': return `kill -9 and restart ${roleOf('coordinator', at)}`;
    case 'pause': return `SIGSTOP ${lengthOf(fault.durationMs)} ${roleOf(fault.target, at)}`;
    case 'join': return `join ${fault.target.replace(/-\d+$/, '')}${fault.delayMs > 0 ? ' from afar' : ''}`;
    case 'leave': return `leave ${roleOf(fault.target, at)}`;
    case 'slow': return `slow ${roleOf(fault.target, at)}`;
    case 'partition': return `partition ${lengthOf(fault.durationMs)} ${roleOf(fault.target, at)}`;
    case 'loss': return 'lossy link';
    case 'slow-link': return 'slow link';
    case 'full-disk': return 'full disk';
    case 'restart-all': return 'kill -9 everything, resume';
    case 'bad-checkpoint': return 'kill -9 everything, damage a checkpoint, resume';
    default: return assertNever(fault);
  }
}

/** Below the detection time a pause is waited for, above it the process is lost. */
const lengthOf = (durationMs: number): string => (durationMs < SHORT_MS ? '(short)' : '(long)');
const SHORT_MS = 800;

const HOST_KIND = { coordinator: 'coordinator', worker: 'workers', server: 'servers' } as const;

function roleOf(target: string, { shape: { shardHosts, replicas }, isGuarded }: Circumstances): string {
  const role = target.replace(/-\d+$/, '') as keyof typeof HOST_KIND;
  if (!shardHosts.includes(HOST_KIND[role])) return role;
  if (replicas === 0) return `${role} with shards`;
  return `${role} with shards, replicas ${isGuarded ? 'in step' : 'not all in step'}`;
}
