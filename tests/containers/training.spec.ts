import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { EndEvent, EpochEvent, RunEvent } from '@lockstep/core';
import { lockstepEvents } from '../support/processes.ts';
import { ContainerCluster } from './cluster.ts';

const FLAGS = ['--model', 'cnn', '--data.limit', '4096', '--global-batch-size', '64', '--epochs', '2'];
const RUN = ['--run', 'contained', ...FLAGS];

let quiet: readonly RunEvent[];

beforeAll(async () => {
  const runsDirectory = await mkdtemp(join(tmpdir(), 'lockstep-containers-'));
  const { exitCode, stderr, events } = await lockstepEvents('train', '--runs-dir', runsDirectory, '--workers', '1', ...FLAGS);
  await rm(runsDirectory, { recursive: true, force: true });
  expect(stderr).toBe('');
  expect(exitCode).toBe(0);
  quiet = events;
});

describe('a coordinator and workers in containers', () => {
  it('end with the bytes and metrics of a run outside containers', async () => {
    await using cluster = await ContainerCluster.create();
    const coordinator = await cluster.startCoordinator('--min-workers', '3', ...RUN);
    const workers = await cluster.startWorkers(3);
    await coordinator.log.event('step');
    const health = await Promise.all([coordinator, ...workers].map((container) => container.checkHealth()));
    expect(health.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0, 0]);
    await coordinator.log.event('end');
    expect(measured(coordinator.log.events)).toEqual(measured(quiet));
    expect(await Promise.all([coordinator, ...workers].map((container) => container.exitCode()))).toEqual([0, 0, 0, 0]);
  });
});

/** All that a run reports of its result. */
function measured(events: readonly RunEvent[]): object {
  const end = events.findLast((event): event is EndEvent => event.event === 'end');
  const epochs = events.filter((event): event is EpochEvent => event.event === 'epoch');
  return {
    parametersSha256: end?.parametersSha256, steps: end?.steps, test: end?.test, stoppedEarly: end?.stoppedEarly,
    epochs: epochs.map(({ epoch, loss, accuracy, parametersSha256 }) => ({ epoch, loss, accuracy, parametersSha256 })),
  };
}
