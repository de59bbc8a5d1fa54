import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { RunEvent, WorkerEvent } from '@lockstep/core';
import { lockstepEvents } from '../support/processes.ts';
import { ContainerCluster, type LockstepContainer } from './cluster.ts';
import { measured } from './measured.ts';

const FLAGS = ['--model', 'mlp', '--data.limit', '8192', '--global-batch-size', '64', '--epochs', '9', '--failure-detection-ms', '1000'];
const RUN = ['--run', 'contained', ...FLAGS];
/** Of 1,152 steps. */
const UNDER_WAY = 20;

let quiet: readonly RunEvent[];

beforeAll(async () => {
  const runsDirectory = await mkdtemp(join(tmpdir(), 'lockstep-containers-'));
  const { exitCode, stderr, events } = await lockstepEvents('train', '--runs-dir', runsDirectory, '--workers', '1', ...FLAGS);
  await rm(runsDirectory, { recursive: true, force: true });
  expect(stderr).toBe('');
  expect(exitCode).toBe(0);
  quiet = events;
});

describe('a coordinator and workers in containers end with the bytes and metrics of a run outside', () => {
  it('when nothing happens, and all are healthy', async () => {
    await using cluster = await ContainerCluster.create();
    const { coordinator, workers } = await startRun(cluster, 3);
    const health = await Promise.all([coordinator, ...workers].map((container) => container.checkHealth()));
    expect(health.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0, 0]);
    await expectQuietResult(coordinator);
    expect(await Promise.all([coordinator, ...workers].map((container) => container.exitCode()))).toEqual([0, 0, 0, 0]);
  });

  it('when a worker is killed and others join', async () => {
    await using cluster = await ContainerCluster.create();
    const { coordinator, workers: [first] } = await startRun(cluster, 2);
    await first!.kill('SIGKILL');
    await told(coordinator, 'lost', first!);
    const [joined] = await cluster.startWorkers(2);
    const { rank } = await told(coordinator, 'training', joined!);
    await coordinator.log.next('step', ({ workers }) => workers.some((worker) => worker.rank === rank && worker.microBatches > 0));
    await expectQuietResult(coordinator);
  });

  it('when a worker leaves because its container is stopped', async () => {
    await using cluster = await ContainerCluster.create();
    const { coordinator, workers: [first] } = await startRun(cluster, 2);
    await first!.kill('SIGTERM');
    await told(coordinator, 'left', first!);
    expect(await first!.exitCode()).toBe(0);
    await expectQuietResult(coordinator);
  });

  it('when a worker is paused, counts as lost, and comes back', async () => {
    await using cluster = await ContainerCluster.create();
    const { coordinator, workers: [first] } = await startRun(cluster, 2);
    await first!.pause();
    const { reason } = await told(coordinator, 'lost', first!);
    expect(reason).toMatch(/^silent for /);
    const back = told(coordinator, 'training', first!, 'next');
    await first!.unpause();
    await back;
    await expectQuietResult(coordinator);
    expect(await first!.exitCode()).toBe(0);
  });

  it('when a worker is cut off from the network, counts as lost, and comes back', async () => {
    await using cluster = await ContainerCluster.create();
    const { coordinator, workers: [first] } = await startRun(cluster, 2);
    await first!.disconnect();
    await told(coordinator, 'lost', first!);
    const back = told(coordinator, 'training', first!, 'next');
    await first!.reconnect();
    await back;
    await expectQuietResult(coordinator);
    expect(await first!.exitCode()).toBe(0);
  });

  it('when the coordinator is killed with its shards, and another container takes over its run from a checkpoint', async () => {
    await using cluster = await ContainerCluster.create();
    const { coordinator, workers } = await startRun(cluster, 2, ['--checkpoints.every-steps', '20']);
    const { version } = await coordinator.log.event('checkpoint');
    const successor = await succeed(cluster, coordinator, workers);
    expect((await successor.log.event('shards')).version).toBeGreaterThanOrEqual(version);
  });

  it('when the coordinator is killed while workers host the shards, and another container takes over', async () => {
    await using cluster = await ContainerCluster.create();
    const { coordinator, workers } = await startRun(cluster, 2, ['--shard-hosts', 'workers']);
    const successor = await succeed(cluster, coordinator, workers);
    expect(successor.log.events.filter((event) => event.event === 'shards' && event.generation > 1)).toEqual([]);
  });
});

describe('the health check', () => {
  it('says that a process which hangs does', async () => {
    await using cluster = await ContainerCluster.create();
    const coordinator = await cluster.startCoordinator(...RUN);
    await coordinator.log.event('log', ({ message }) => message.startsWith('listening on'));
    await coordinator.kill('SIGSTOP');
    expect(await coordinator.checkHealth()).toMatchObject({ exitCode: 1, output: expect.stringContaining('has not turned') });
  });
});

/** A run that is under way with `count` workers. */
async function startRun(cluster: ContainerCluster, count: number, flags: readonly string[] = []): Promise<{ readonly coordinator: LockstepContainer; readonly workers: readonly LockstepContainer[] }> {
  const coordinator = await cluster.startCoordinator('--min-workers', String(count), ...RUN, ...flags);
  const workers = await cluster.startWorkers(count);
  await coordinator.log.event('step', ({ step }) => step >= UNDER_WAY);
  return { coordinator, workers };
}

/** What the coordinator tells of the worker in that container. */
function told(coordinator: LockstepContainer, state: WorkerEvent['state'], { hostname }: LockstepContainer, when: 'event' | 'next' = 'event'): Promise<WorkerEvent> {
  return coordinator.log[when]('worker', (worker) => worker.state === state && worker.hostname === hostname);
}

async function expectQuietResult(coordinator: LockstepContainer): Promise<void> {
  await coordinator.log.event('end');
  expect(measured(coordinator.log.events)).toEqual(measured(quiet));
}

/** Another container under the same name and on the same volume ends the killed coordinator's run. */
async function succeed(cluster: ContainerCluster, coordinator: LockstepContainer, workers: readonly LockstepContainer[]): Promise<LockstepContainer> {
  await coordinator.kill('SIGKILL');
  const successor = await cluster.startCoordinator('--resume', 'contained');
  await successor.log.event('end');
  expect(measured([...coordinator.log.events, ...successor.log.events])).toEqual(measured(quiet));
  expect(await Promise.all(workers.map((worker) => worker.exitCode()))).toEqual([0, 0]);
  return successor;
}
