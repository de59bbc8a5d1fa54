import { assertNever } from '@lockstep/core';
import type { Fault, PlannedFault, Schedule, Shape } from './schedule.ts';

/** A schedule as lines that tell a reader all that will happen. */
export function describeSchedule({ seed, shape, faults }: Schedule): string {
  return [`seed ${seed}: ${describeShape(shape)}`, ...faults.map(describePlanned)].join('\n');
}

export function describeShape({ place, workersApart, shardHosts, shards, replicas, workers, servers, checkpointEverySteps }: Shape): string {
  const cluster = `${workers.length} workers${servers.length > 0 ? `, ${servers.length} parameter servers` : ''}`;
  const where = place === 'network' ? 'on hosts of their own' : workersApart ? 'on one machine, the workers under another name' : 'on one machine';
  return `${cluster} ${where}; ${shards ?? 'one a host:'} shards on ${shardHosts.join(' and ')}, ${replicas === 1 ? 'with' : 'without'} replicas; a checkpoint every ${checkpointEverySteps} steps`;
}

function describePlanned({ atStep, withPrevious, fault }: PlannedFault): string {
  return `  step ${String(atStep).padStart(4)}${withPrevious ? ' +' : '  '} ${describeFault(fault)}`;
}

export function describeFault(fault: Fault): string {
  switch (fault.kind) {
    case 'kill': return `kill -9 ${fault.target}`;
    case 'restart-coordinator': return `kill -9 the coordinator, back after ${fault.downMs} ms`;
    case 'pause': return `SIGSTOP ${fault.target} for ${fault.durationMs} ms`;
    case 'join': return `${fault.target} joins${fault.delayMs > 0 ? `, ${fault.delayMs} ms away` : ''}`;
    case 'leave': return `SIGTERM ${fault.target}`;
    case 'slow': return `${fault.target} runs ${fault.runMs} of every ${fault.runMs + fault.stopMs} ms for ${fault.durationMs} ms`;
    case 'partition': return `${fault.target} is cut off for ${fault.durationMs} ms`;
    case 'loss': return `${fault.target} loses ${Math.round(fault.probability * 100)} % of its packets for ${fault.durationMs} ms`;
    case 'slow-link': return `${fault.target} has ${fault.kilobits} kbit/s for ${fault.durationMs} ms`;
    case 'full-disk': return `the disk is full for ${fault.durationMs} ms`;
    case 'restart-all': return `kill -9 everything, resume with ${fault.workers.length} workers`;
    case 'bad-checkpoint': return `kill -9 everything, ${fault.damage === 'cut' ? 'cut off' : 'flip a bit of'} the newest checkpoint, resume with ${fault.workers.length} workers`;
    default: return assertNever(fault);
  }
}
