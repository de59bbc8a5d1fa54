import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { assertNever, type RunEvent } from '@lockstep/core';
import { dropPackets, limitRate, type Host } from '@lockstep/testbed';
import { RUN, type Cluster } from './cluster.ts';
import { damageNewestCheckpoint } from './faults/damaged-checkpoint.ts';
import { dutyCycle } from './faults/duty-cycle.ts';
import type { SmallDisk } from './faults/small-disk.ts';
import type { Progress } from './progress.ts';
import type { Fault } from './schedule.ts';

export interface Field {
  readonly cluster: Cluster;
  readonly disk: SmallDisk;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** A fault under way. */
export interface Strike {
  /** When it has been lifted: the link is whole again, the process runs, the joiner trains. */
  readonly over: Promise<void>;
  /** What a run's log must hold because of it. */
  readonly named: string | null;
}

/** Does a fault. Resolves when it has struck. */
export async function strike(fault: Fault, field: Field): Promise<Strike> {
  const { cluster, disk } = field;
  switch (fault.kind) {
    case 'kill':
      void cluster.kill(fault.target);
      return struck();
    case 'restart-coordinator':
      return struck(restartCoordinator(field, fault.downMs));
    case 'leave':
      cluster.member(fault.target).fate = 'leaving';
      cluster.signal(fault.target, 'SIGTERM');
      return struck(cluster.member(fault.target).process.ended.then(() => undefined));
    case 'join':
      return struck(joinRun(field, fault.target, fault.delayMs));
    case 'pause':
      cluster.signal(fault.target, 'SIGSTOP');
      return struck(delay(fault.durationMs).then(() => cluster.signal(fault.target, 'SIGCONT')));
    case 'slow':
      return struck(dutyCycle((signal) => cluster.signal(fault.target, signal), fault));
    case 'partition':
      return lifted(await dropPackets(hostOf(cluster, fault.target), 1), fault.durationMs);
    case 'loss':
      return lifted(await dropPackets(hostOf(cluster, fault.target), fault.probability), fault.durationMs);
    case 'slow-link':
      return lifted(await limitRate(hostOf(cluster, fault.target), fault.kilobits), fault.durationMs);
    case 'full-disk':
      disk.fill();
      return lifted(async () => disk.free(), fault.durationMs);
    case 'restart-all':
      await cluster.killAll();
      return struck(cluster.startAll(fault, { resume: true, minWorkers: 1 }));
    case 'bad-checkpoint': {
      await cluster.killAll();
      const damaged = await damageNewestCheckpoint(join(disk.path, RUN), fault.damage);
      return { over: cluster.startAll(fault, { resume: true, minWorkers: 1 }), named: damaged };
    }
    default:
      return assertNever(fault);
  }
}

const struck = (over: Promise<void> = Promise.resolve()): Strike => ({ over, named: null });
const lifted = (lift: () => Promise<void>, durationMs: number): Strike => struck(delay(durationMs).then(lift));

async function restartCoordinator({ cluster }: Field, downMs: number): Promise<void> {
  await cluster.kill('coordinator');
  await delay(downMs);
  await cluster.startCoordinator({ resume: true, minWorkers: 1, minServers: 0 });
}

async function joinRun({ cluster, progress, signal }: Field, name: string, delayMs: number): Promise<void> {
  await cluster.startNamed(name, delayMs);
  const { pid } = cluster.member(name).process.child;
  const trains = (event: RunEvent) => event.event === 'end' || (event.event === 'worker' && event.pid === pid && event.state === 'training');
  if (name.startsWith('worker')) await progress.first(trains, signal);
}

function hostOf(cluster: Cluster, name: string): Host {
  const { host } = cluster.member(name);
  if (host === null) throw new Error(`${name} has no host of its own`);
  return host;
}
