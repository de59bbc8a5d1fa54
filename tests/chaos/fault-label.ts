import { assertNever } from '@lockstep/core';
import type { Fault, Shape } from './schedule.ts';

/** The row of the table that a fault counts in. */
export function labelOf(fault: Fault, shape: Shape): string {
  switch (fault.kind) {
    case 'kill': return `kill -9 ${roleOf(fault.target, shape)}`;
    case 'restart-coordinator': return `kill -9 and restart ${roleOf('coordinator', shape)}`;
    case 'pause': return `SIGSTOP ${lengthOf(fault.durationMs)} ${roleOf(fault.target, shape)}`;
    case 'join': return `join ${fault.target.replace(/-\d+$/, '')}${fault.delayMs > 0 ? ' from afar' : ''}`;
    case 'leave': return `leave ${roleOf(fault.target, shape)}`;
    case 'slow': return `slow ${roleOf(fault.target, shape)}`;
    case 'partition': return `partition ${lengthOf(fault.durationMs)} ${roleOf(fault.target, shape)}`;
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

function roleOf(target: string, { shardHosts, replicas }: Shape): string {
  const role = target.replace(/-\d+$/, '') as keyof typeof HOST_KIND;
  if (!shardHosts.includes(HOST_KIND[role])) return role;
  return `${role} with shards${replicas === 1 ? ', replicas' : ''}`;
}
