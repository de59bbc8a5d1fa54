import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readReceipts } from '@lockstep/checkpoint';
import type { RunEvent, ShardsEvent, WorkerEvent } from '@lockstep/core';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { lockstepEvents, LockstepProcess, type StartOptions } from '../support/processes.ts';

/** Long enough for something to happen to it: 150 steps, with a checkpoint at every tenth. */
const LONG = ['--model', 'mlp', '--data.limit', '640', '--global-batch-size', '64', '--epochs', '15'];
/** Nobody is lost for being slow on a busy machine, where a test is not about detection. */
const PATIENT = ['--failure-detection-ms', '20000'];

let runsDirectory: string;
let quietHash: string | undefined;
const alive: LockstepProcess[] = [];

beforeAll(async () => {
  runsDirectory = await mkdtemp(join(tmpdir(), 'lockstep-processes-'));
  const quiet = await lockstepEvents('train', '--runs-dir', runsDirectory, '--workers', '1', ...LONG, ...PATIENT);
  expect(quiet).toMatchObject({ exitCode: 0, stderr: '' });
  quietHash = hashOf(quiet.events.at(-1));
}, 120_000);
afterEach(async () => {
  for (const { child } of alive) child.kill('SIGKILL');
  await Promise.all(alive.splice(0).map(({ ended }) => ended));
});
afterAll(() => rm(runsDirectory, { recursive: true, force: true }));

function start(...args: readonly string[]): LockstepProcess {
  return startWith({}, ...args);
}

function startWith(options: StartOptions, ...args: readonly string[]): LockstepProcess {
  const process = new LockstepProcess(args, options);
  alive.push(process);
  return process;
}

interface Coordinator {
  readonly coordinator: LockstepProcess;
  readonly address: string;
}

/** A coordinator by hand on a free port, and where to join it. */
async function startCoordinator(...flags: readonly string[]): Promise<Coordinator> {
  return startCoordinatorWith({}, ...flags);
}

async function startCoordinatorWith(options: StartOptions, ...flags: readonly string[]): Promise<Coordinator> {
  const coordinator = startWith(options, 'coordinator', '--listen', '127.0.0.1:0', '--runs-dir', runsDirectory, '--json', ...flags);
  const { message } = await coordinator.event('log', ({ message: text }) => text.includes('--join'));
  const port = /--join [\d.]+:(\d+)$/.exec(message)?.[1];
  if (port === undefined) throw new Error(`no port in: ${message}`);
  return { coordinator, address: `127.0.0.1:${port}` };
}

/** A run of one worker that a second one has joined. */
async function startWithLateWorker(...flags: readonly string[]) {
  const { coordinator, address } = await startCoordinator('--min-workers', '1', ...LONG, ...PATIENT, ...flags);
  const first = start('worker', '--join', address);
  await coordinator.event('step', ({ step }) => step >= 3);
  // The run waits for the first one's part, so it does not end before the second one has come.
  first.child.kill('SIGSTOP');
  const late = start('worker', '--join', address);
  await coordinator.event('worker', ({ rank, state }) => rank === 1 && state === 'training');
  first.child.kill('SIGCONT');
  await coordinator.event('step', ({ workers }) => workers.length === 2);
  return { coordinator, first, late };
}

describe('processes started by hand', () => {
  it('end with the bytes of `lockstep train`', async () => {
    const flags = ['--model', 'mlp', '--data.limit', '256', '--global-batch-size', '64', '--epochs', '1'];
    const { coordinator, address } = await startCoordinator('--min-workers', '2', ...flags);
    const workers = [start('worker', '--join', address), start('worker', '--join', address)];
    const byHand = await coordinator.ended;
    expect(byHand.stderr).toBe('');
    expect(await Promise.all(workers.map(async ({ ended }) => (await ended).exitCode))).toEqual([0, 0]);
    const trained = await lockstepEvents('train', '--runs-dir', runsDirectory, '--workers', '1', ...flags);
    expect(byHand.events.at(-1)).toMatchObject({ event: 'end', steps: 4 });
    expect(hashOf(byHand.events.at(-1))).toBe(hashOf(trained.events.at(-1)));
  });

  it('end with the same bytes where a worker sees neither the files nor the memory of the coordinator', async () => {
    const flags = ['--model', 'mlp', '--data.limit', '256', '--global-batch-size', '64', '--epochs', '1'];
    const scratch = await mkdtemp(join(runsDirectory, 'scratch-'));
    const { coordinator, address } = await startCoordinatorWith({ env: { TMPDIR: scratch } }, '--min-workers', '2', '--listen', '0.0.0.0:0', '--insecure', ...flags);
    // Mounts of its own, as on another machine: no Unix socket, no data file and no tmpfs in common.
    const hide = `mount -t tmpfs none ${scratch} && mount -t tmpfs none /dev/shm && exec "$@"`;
    const elsewhere = { launcher: ['unshare', '--map-root-user', '--mount', 'sh', '-c', hide, 'sh'], env: { XDG_CACHE_HOME: scratch } };
    const workers = [start('worker', '--join', address), startWith(elsewhere, 'worker', '--join', address)];
    const apart = await coordinator.ended;
    expect(apart.stderr).toBe('');
    expect(await Promise.all(workers.map(async ({ ended }) => (await ended).exitCode))).toEqual([0, 0]);
    const trained = await lockstepEvents('train', '--runs-dir', runsDirectory, '--workers', '1', ...flags);
    expect(hashOf(apart.events.at(-1))).toBe(hashOf(trained.events.at(-1)));
  });

  it.each([{ wire: [] }, { wire: ['--wire', 'int8', '--parameter-wire', 'bf16'] }])('add up among themselves on one machine what goes to shards on another, also when the one is killed that does so for all: $wire', async ({ wire }) => {
    const { coordinator, address } = await startCoordinator('--min-workers', '3', '--shards', '2', ...LONG, ...PATIENT, ...wire);
    const near = { launcher: ['unshare', '--map-root-user', '--uts', 'sh', '-c', 'hostname near && exec "$@"', 'sh'] };
    const workers = [0, 1, 2].map(() => startWith(near, 'worker', '--join', address));
    const { message } = await coordinator.event('log', (event) => event.message.startsWith('the workers of near add up with worker'));
    const byRank = new Map<number | undefined, LockstepProcess | undefined>();
    for (const rank of [0, 1, 2]) {
      const { pid } = await coordinator.event('worker', (event) => event.rank === rank && event.state === 'training');
      byRank.set(rank, workers.find(({ child }) => child.pid === pid));
    }
    const relay = Number(/worker (\d)/.exec(message)?.[1]);
    await coordinator.event('step', ({ step, workers: parts }) => step >= 10 && parts.length === 3);
    byRank.get(relay)?.child.kill('SIGKILL');
    if (wire.length === 0) await expectQuietEnd(coordinator);
    else await expectSameEnd(coordinator, wire);
  });

  it('take a worker in that comes after the start', async () => {
    const { coordinator, first, late } = await startWithLateWorker();
    await expectQuietEnd(coordinator);
    expect([(await first.ended).exitCode, (await late.ended).exitCode]).toEqual([0, 0]);
  });

  it('let a worker leave on SIGTERM and go on without it', async () => {
    const { coordinator, address } = await startCoordinator('--min-workers', '2', ...LONG, ...PATIENT);
    const workers = [start('worker', '--join', address), start('worker', '--join', address)];
    await coordinator.event('step', ({ workers: parts }) => parts.length === 2);
    workers[0]?.child.kill('SIGTERM');
    expect((await workers[0]?.ended)?.exitCode).toBe(0);
    const events = await expectQuietEnd(coordinator);
    const states = events.flatMap((event) => (event.event === 'worker' ? [event.state] : []));
    expect(states.filter((state) => state === 'left' || state === 'lost')).toEqual(['left']);
    const lastSteps = events.slice(events.findIndex((event) => event.event === 'worker' && event.state === 'left')).filter((event) => event.event === 'step');
    expect(lastSteps.length).toBeGreaterThan(0);
    expect((await workers[1]?.ended)?.exitCode).toBe(0);
  });

  it('refuse a worker whose engine computes other bits, and say why', async () => {
    const { coordinator, address } = await startCoordinator('--min-workers', '1', ...LONG);
    start('worker', '--join', address);
    await coordinator.event('start');
    const other = await start('worker', '--join', address, '--numerics.engine', 'javascript').ended;
    expect(other.exitCode).toBe(1);
    expect(other.stderr).toMatch(/refused by the coordinator/);
  });

  it('end with a clear error when the coordinator does not come', async () => {
    const ended = await Promise.all(['worker', 'parameter-server'].map((kind) => start(kind, '--join', '127.0.0.1:1').ended));
    expect(ended.map(({ exitCode }) => exitCode)).toEqual([1, 1]);
    for (const { stderr } of ended) expect(stderr).toMatch(/coordinator at 127\.0\.0\.1:1: .*ECONNREFUSED.*; tried for 1\d s to connect/);
  });

  it('need --insecure to listen beyond this machine', async () => {
    const { exitCode, stderr } = await lockstepEvents('coordinator', '--listen', '0.0.0.0:0', '--runs-dir', runsDirectory);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('--insecure');
  });
});

describe('a coordinator that was killed and comes back on its port', () => {
  it('goes on from the last checkpoint where the shards were its own, with the workers that are still there', async () => {
    const { coordinator, address } = await startCoordinator('--run', 'embedded', '--min-workers', '2', ...LONG, ...PATIENT);
    const workers = [start('worker', '--join', address), start('worker', '--join', address)];
    await coordinator.event('checkpoint');
    await killed(coordinator);
    const again = start('coordinator', '--resume', 'embedded', '--listen', address, '--runs-dir', runsDirectory, '--json');
    const events = await expectQuietEnd(again);
    expect(events.find((event) => event.event === 'start')?.resumedFrom).toBeGreaterThan(0);
    expect(placements(events)).toMatchObject([{ generation: 2, cause: 'the run goes on from its last checkpoint' }]);
    expect(await Promise.all(workers.map(async ({ ended }) => (await ended).exitCode))).toEqual([0, 0]);
  });

  it('finds the run where it is when the shards are on parameter servers', async () => {
    const { coordinator, address } = await startCoordinator('--run', 'apart', '--min-workers', '1', '--min-servers', '2', '--shard-hosts', 'servers', ...LONG, ...PATIENT);
    const others = [start('parameter-server', '--join', address), start('parameter-server', '--join', address), start('worker', '--join', address)];
    await coordinator.event('step', ({ step }) => step >= 5);
    await killed(coordinator);
    const again = start('coordinator', '--resume', 'apart', '--listen', address, '--runs-dir', runsDirectory, '--json');
    const events = await expectQuietEnd(again);
    expect(placements(events)).toMatchObject([{ generation: 1, cause: 'the coordinator is back' }]);
    expect(await Promise.all(others.map(async ({ ended }) => (await ended).exitCode))).toEqual([0, 0, 0]);
  });

  it('lets a worker go that asked while it was away, once the worker\'s shards are elsewhere', async () => {
    const { coordinator, address } = await startCoordinator('--run', 'left', '--min-workers', '2', '--shard-hosts', 'workers', ...LONG, ...PATIENT);
    const workers = [start('worker', '--join', address), start('worker', '--join', address)];
    await coordinator.event('step', ({ step }) => step >= 5);
    await killed(coordinator);
    // Its shards stop after 8 epochs that nobody has recorded, so there is something left to leave.
    workers[0]?.child.kill('SIGTERM');
    const again = start('coordinator', '--resume', 'left', '--listen', address, '--runs-dir', runsDirectory, '--json');
    const events = await expectQuietEnd(again);
    expect(placements(events)).toMatchObject([{ generation: 1, cause: 'the coordinator is back' }, { generation: 1, cause: expect.stringMatching(/ leaves$/) as string }]);
    expect(await Promise.all(workers.map(async ({ ended }) => (await ended).exitCode))).toEqual([0, 0]);
  });

  it('is refused while the first one lives, which is named', async () => {
    const { coordinator } = await startCoordinator('--run', 'held', ...LONG);
    const { exitCode, stderr } = await lockstepEvents('coordinator', '--resume', 'held', '--listen', '127.0.0.1:0', '--runs-dir', runsDirectory);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`the run has a coordinator already: process ${coordinator.child.pid} on `);
  });
});

describe('a parameter server that is killed', () => {
  async function startServers(...flags: readonly string[]) {
    const { coordinator, address } = await startCoordinator('--min-workers', '1', '--min-servers', '2', '--shard-hosts', 'servers', ...LONG, ...PATIENT, ...flags);
    const servers = [start('parameter-server', '--join', address), start('parameter-server', '--join', address)];
    return { coordinator, servers, worker: start('worker', '--join', address) };
  }

  it('costs no step where its shards have replicas', async () => {
    const { coordinator, servers, worker } = await startServers('--replicas', '1');
    await Promise.all([0, 1].map((shard) => coordinator.event('log', ({ message }) => message.startsWith(`shard ${shard} has a replica`))));
    await coordinator.event('step', ({ step }) => step >= 5);
    await killed(servers[0]);
    const events = await expectQuietEnd(coordinator);
    expect(placements(events).map(({ generation }) => generation)).toEqual([1, 1]);
    expect(placements(events)[1]?.cause).toMatch(/; its replica takes over$/);
    expect((await worker.ended).exitCode).toBe(0);
  });

  it('takes all shards back to the last checkpoint where they have none', async () => {
    // Whether it comes back is awaited for a quarter of this.
    const { coordinator, servers, worker } = await startServers('--failure-detection-ms', '4000');
    await coordinator.event('checkpoint');
    await killed(servers[0]);
    const events = await expectQuietEnd(coordinator);
    expect(placements(events).map(({ generation }) => generation)).toEqual([1, 2]);
    expect(placements(events)[1]?.version).toBeGreaterThan(0);
    expect((await worker.ended).exitCode).toBe(0);
  });
});

describe('where workers hold back parts of their gradients', () => {
  const HOLDING = ['--wire', 'topK', '--wire.ratio', '0.02', '--wire.dense-every', '4'];

  it('all go back to the last checkpoint when one is killed, and end with the same bytes', async () => {
    const train = start('train', '--runs-dir', runsDirectory, '--json', '--workers', '2', ...LONG, ...PATIENT, ...HOLDING);
    const { pid } = await train.event('worker', ({ rank, state }) => rank === 1 && state === 'training');
    await train.event('step', ({ workers }) => workers.length === 2);
    process.kill(pid, 'SIGKILL');
    const events = await expectSameEnd(train, HOLDING);
    expect(placements(events).map(({ cause }) => cause)).toEqual(['the run starts', 'worker 1 is lost, and with it what it held back of its gradients']);
  });

  it('one may join and one leave, and nobody goes back', async () => {
    const { coordinator, first, late } = await startWithLateWorker(...HOLDING);
    first.child.kill('SIGTERM');
    const events = await expectSameEnd(coordinator, HOLDING);
    expect([(await first.ended).exitCode, (await late.ended).exitCode]).toEqual([0, 0]);
    expect(placements(events).map(({ generation }) => generation)).toEqual([1]);
  });

  it('a coordinator that was killed goes back to the last checkpoint, for it does not know who holds what', async () => {
    const { coordinator, address } = await startCoordinator('--run', 'holding', '--min-workers', '2', '--min-servers', '1', '--shard-hosts', 'servers', ...LONG, ...PATIENT, ...HOLDING);
    const others = [start('parameter-server', '--join', address), start('worker', '--join', address), start('worker', '--join', address)];
    await coordinator.event('checkpoint');
    await killed(coordinator);
    const again = start('coordinator', '--resume', 'holding', '--listen', address, '--runs-dir', runsDirectory, '--json');
    const events = await expectSameEnd(again, HOLDING);
    expect(placements(events)).toMatchObject([{ generation: 2, cause: 'the run goes on from its last checkpoint' }]);
    expect(await Promise.all(others.map(async ({ ended }) => (await ended).exitCode))).toEqual([0, 0, 0]);
  });
});

describe('a run', () => {
  it('replaces a worker that was killed and ends as if nothing had happened', async () => {
    const train = start('train', '--runs-dir', runsDirectory, '--json', '--workers', '2', ...LONG, ...PATIENT);
    const { pid } = await train.event('worker', ({ rank, state }) => rank === 1 && state === 'training');
    await train.event('step', ({ workers }) => workers.length === 2);
    process.kill(pid, 'SIGKILL');
    await train.event('worker', (event) => event.pid === pid && event.state === 'lost');
    await train.event('log', ({ message }) => message === `a worker (process ${pid}) ended with SIGKILL; another takes its place`);
    await expectQuietEnd(train);
  });

  it('goes on without a worker that hangs, and with it when it is back', async () => {
    const train = start('train', '--runs-dir', runsDirectory, '--json', '--workers', '2', ...LONG, '--failure-detection-ms', '1000');
    const { pid } = await train.event('worker', ({ rank, state }) => rank === 1 && state === 'training');
    await train.event('step', ({ workers }) => workers.length === 2);
    process.kill(pid, 'SIGSTOP');
    const { reason } = await train.event('worker', (event) => event.pid === pid && event.state === 'lost');
    process.kill(pid, 'SIGCONT');
    await train.event('worker', nth(2, (event) => event.pid === pid && event.state === 'training'));
    expect(reason).toMatch(/^silent for \d+\.\d s$/);
    await expectQuietEnd(train);
  });

  it('takes a checkpoint when it is interrupted, and leaves no process, socket or shared memory behind', async () => {
    const scratch = await mkdtemp(join(runsDirectory, 'scratch-'));
    const train = startWith({ env: { TMPDIR: scratch } }, 'train', '--runs-dir', runsDirectory, '--run', 'interrupted', '--json', '--workers', '2', '--shard-hosts', 'workers', ...LONG, ...PATIENT);
    const pids = await workersOf(train);
    await train.event('step');
    train.child.kill('SIGINT');
    const { exitCode, stderr } = await train.ended;
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^error: stopped by SIGINT, with a checkpoint of step \d+\nhint: go on with: lockstep train --resume interrupted\n$/);
    expect(await readdir(join(runsDirectory, 'interrupted', 'checkpoints'))).not.toEqual([]);
    expect(pids.filter(isAlive)).toEqual([]);
    expect((await readdir(scratch)).filter((name) => name.startsWith('lockstep'))).toEqual([]);
    const theirs = new RegExp(`-(${[train.child.pid, ...pids].join('|')})-`);
    expect((await readdir('/dev/shm')).filter((name) => theirs.test(name))).toEqual([]);
  });

  it('has no workers left when it is killed', async () => {
    const train = start('train', '--runs-dir', runsDirectory, '--json', '--workers', '2', ...LONG);
    const pids = await workersOf(train);
    await train.event('step');
    await killed(train);
    await vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), { timeout: 20_000 });
  });

  it('names the field of a wrong config before any work starts', async () => {
    const { exitCode, stderr } = await lockstepEvents('train', '--runs-dir', join(runsDirectory, 'none'), '--micro-batches', '3');
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^error: microBatches: got 3, expected a power of two/);
    await expect(stat(join(runsDirectory, 'none'))).rejects.toThrow('ENOENT');
  });

  const diverging = ['--model', 'mlp', '--data.limit', '640', '--epochs', '2', '--optimizer', 'sgd', '--optimizer.learning-rate', '1e30'];

  it('stops with step and micro-batch named when the loss is not finite', async () => {
    const { exitCode, stderr } = await lockstepEvents('train', '--runs-dir', runsDirectory, '--workers', '2', ...diverging);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/step \d+, micro-batch \d+: the loss is (NaN|Infinity)/);
  });

  it('leaves such steps out where it is told to, and its receipts count them', async () => {
    const { exitCode, stderr } = await lockstepEvents('train', '--runs-dir', runsDirectory, '--run', 'skips', '--workers', '2', '--on-non-finite', 'skip', ...diverging);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const receipts = await Array.fromAsync(readReceipts(join(runsDirectory, 'skips', 'receipts.jsonl')));
    const steps = receipts.filter((receipt) => receipt.kind === 'step');
    expect(steps).toHaveLength(6);
    expect(steps[0]?.numNonFinite).toBeUndefined();
    expect(steps.slice(1).every(({ numNonFinite = 0 }) => numNonFinite > 0)).toBe(true);
    expect(steps.at(-1)?.parametersSha256).toBe(steps.find(({ parametersSha256 }) => parametersSha256 !== null)?.parametersSha256);
  });
});

/** The run ends well, with the bytes of the quiet one. */
async function expectQuietEnd(process: LockstepProcess): Promise<readonly RunEvent[]> {
  const { exitCode, stderr, events } = await process.ended;
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(events.at(-1)).toMatchObject({ event: 'end', steps: 150 });
  expect(hashOf(events.at(-1))).toBe(quietHash);
  return events;
}

/** Ends as one worker does with the same flags. */
async function expectSameEnd(process: LockstepProcess, flags: readonly string[]): Promise<readonly RunEvent[]> {
  const { exitCode, stderr, events } = await process.ended;
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  const alone = await lockstepEvents('train', '--runs-dir', runsDirectory, '--workers', '1', ...LONG, ...PATIENT, ...flags);
  expect(hashOf(events.at(-1))).toBe(hashOf(alone.events.at(-1)));
  return events;
}

/** Matches the n-th of the events that match. */
function nth(n: number, matches: (event: WorkerEvent) => boolean): (event: WorkerEvent) => boolean {
  let seen = 0;
  return (event) => {
    seen += matches(event) ? 1 : 0;
    return seen === n;
  };
}

async function killed(process: LockstepProcess | undefined): Promise<void> {
  process?.child.kill('SIGKILL');
  await process?.ended;
}

const workersOf = (train: LockstepProcess): Promise<readonly number[]> =>
  Promise.all([0, 1].map(async (rank) => (await train.event('worker', (event) => event.rank === rank)).pid));

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const placements = (events: readonly RunEvent[]): readonly ShardsEvent[] => events.filter((event) => event.event === 'shards');

function hashOf(event: unknown): string | undefined {
  return (event as { parametersSha256?: string }).parametersSha256;
}
