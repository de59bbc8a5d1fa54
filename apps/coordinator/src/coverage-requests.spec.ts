import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { HostCommand } from '@lockstep/transport';
import { CoverageRequests } from './coverage-requests.ts';

const part = (shard: number, generation = 3) => ({ generation, shard, version: 7, missingMicroBatches: [shard], waitsFor: '' });
const onHost = (shard: number): string => `shard ${shard} on host ${shard + 10}`;

let commands: HostCommand[];
let requests: CoverageRequests;
beforeEach(() => {
  vi.useFakeTimers();
  commands = [];
  requests = new CoverageRequests((command) => void commands.push(command));
});
afterEach(() => void vi.useRealTimers());

const asked = (): number => commands.at(-1)?.coverage?.request ?? -1;

it('are answered when every shard of the generation has, whichever host it is on', async () => {
  const answer = requests.ask(2, 1000, onHost);
  requests.take({ request: asked(), shards: [part(1), part(0, 2)] }, 3, []);
  requests.take({ request: asked(), shards: [part(0)] }, 3, []);
  await expect(answer).resolves.toMatchObject({ step: 7, missing: [0, 1], isSplit: false });
});

it('name the shards that do not answer in time', async () => {
  const answer = requests.ask(3, 1000, onHost);
  requests.take({ request: asked(), shards: [part(1)] }, 3, []);
  await vi.advanceTimersByTimeAsync(1000);
  await expect(answer).resolves.toEqual({ unknown: 'no answer from shard 0 on host 10, shard 2 on host 12' });
});

it('are not answered by what comes late', async () => {
  const first = requests.ask(1, 1000, onHost);
  const late = asked();
  await vi.advanceTimersByTimeAsync(1000);
  await first;
  const second = requests.ask(1, 1000, onHost);
  requests.take({ request: late, shards: [part(0)] }, 3, []);
  await vi.advanceTimersByTimeAsync(1000);
  await expect(second).resolves.toEqual({ unknown: 'no answer from shard 0 on host 10' });
});
