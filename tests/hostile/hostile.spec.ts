import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { RunEvent } from '@lockstep/core';
import { lockstepEvents, LockstepProcess } from '../support/processes.ts';
import { answersTo, attacksFromWithin, attacksOnControl, attacksOnGrpc, attacksOnShard, neverRead, silence } from './attacks.ts';
import { listeningPorts, peakMemoryMiB } from './listening-ports.ts';
import { JOIN, RawPeers } from './raw-peers.ts';

const RUN = ['--model', 'mlp', '--data.limit', '2560', '--global-batch-size', '64', '--epochs', '12', '--checkpoints.every-epoch', 'false'];
/** Of the coordinator, above what it needed before: about three messages of the largest size that anybody may send at once. */
const MOST_GROWTH_MIB = 256;
/** A line an attack, and fewer where they come at once. */
const MOST_WARNINGS = 40;

let runsDirectory: string;
const alive: LockstepProcess[] = [];

beforeAll(async () => {
  runsDirectory = await mkdtemp(join(tmpdir(), 'lockstep-hostile-'));
});
afterEach(async () => {
  for (const { child } of alive) child.kill('SIGKILL');
  await Promise.all(alive.splice(0).map(({ ended }) => ended));
});
afterAll(() => rm(runsDirectory, { recursive: true, force: true }));

it('a run whose ports are attacked refuses each peer, trains on, and ends with the bytes of a quiet run', async () => {
  using peers = new RawPeers();
  const { coordinator, control, newestStep } = await startCoordinator();
  const pid = coordinator.child.pid!;
  await Promise.all(Array.from({ length: 1_000 }, () => peers.socket(control)));
  const silent = silence(peers, control);
  const silentAnswer = await answersTo([silent]);
  start(['worker', '--join', `127.0.0.1:${control}`]);
  const { numerics } = await coordinator.event('start');
  await coordinator.event('step', ({ step }) => step >= 20);
  const shard = (await listeningPorts(pid)).find((port) => port !== control)!;
  const quietMiB = await peakMemoryMiB(pid);

  await Promise.all(Array.from({ length: 1_000 }, () => peers.socket(shard)));
  const attacks = [...attacksOnGrpc(peers, control, JOIN), ...attacksOnShard(peers, shard), ...attacksOnControl(peers, control), ...(await attacksFromWithin(peers, control, shard))];
  await neverRead(peers, control, numerics);
  const answers = { ...(await answersTo(attacks)), ...silentAnswer };
  const attackedStep = newestStep();
  await coordinator.event('step', ({ step }) => step > attackedStep);
  expect(await peakMemoryMiB(pid) - quietMiB).toBeLessThan(MOST_GROWTH_MIB);
  expect(answers).toEqual(Object.fromEntries([...attacks, silent].map(({ name, answer }) => [name, expect.stringMatching(answer)])));

  const { exitCode, stderr, events } = await coordinator.ended;
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  const warnings = events.filter((event) => event.event === 'log' && event.level !== 'info');
  expect(warnings.length).toBeGreaterThan(3);
  expect(warnings.length).toBeLessThan(MOST_WARNINGS);
  const quiet = await lockstepEvents('train', '--runs-dir', runsDirectory, '--workers', '1', ...RUN);
  expect(hashOf(events)).toBe(hashOf(quiet.events));
}, 300_000);

function start(args: readonly string[], onLine?: (line: string) => void): LockstepProcess {
  const process = new LockstepProcess(args, onLine === undefined ? {} : { onLine });
  alive.push(process);
  return process;
}

/** A coordinator by hand, the port where members join, and how far it has got. */
async function startCoordinator(): Promise<{ readonly coordinator: LockstepProcess; readonly control: number; readonly newestStep: () => number }> {
  let newest = -1;
  const coordinator = start(['coordinator', '--listen', '127.0.0.1:0', '--runs-dir', runsDirectory, '--json', '--no-shared-memory', ...RUN], (line) => {
    const step = /^\{"event":"step","step":(\d+)/.exec(line)?.[1];
    if (step !== undefined) newest = Number(step);
  });
  const { message } = await coordinator.event('log', ({ message: text }) => text.includes('--join'));
  return { coordinator, control: Number(/--join [\d.]+:(\d+)/.exec(message)?.[1]), newestStep: () => newest };
}

function hashOf(events: readonly RunEvent[]): string | undefined {
  return events.find((event) => event.event === 'end')?.parametersSha256;
}
