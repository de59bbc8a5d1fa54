import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { lockstepEvents, LockstepProcess, type StartOptions } from '../support/processes.ts';

let runsDirectory: string;
const alive: LockstepProcess[] = [];

beforeAll(async () => {
  runsDirectory = await mkdtemp(join(tmpdir(), 'lockstep-processes-'));
});
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
  const coordinator = startWith(options, 'coordinator', '--listen', '127.0.0.1:0', '--runs-dir', runsDirectory, '--json', '--model', 'mlp', ...flags);
  const { message } = await coordinator.event('log', ({ message: text }) => text.includes('--join'));
  const port = /--join [\d.]+:(\d+)$/.exec(message)?.[1];
  if (port === undefined) throw new Error(`no port in: ${message}`);
  return { coordinator, address: `127.0.0.1:${port}` };
}

describe('processes started by hand', () => {
  it('end with the bytes of `lockstep train`', async () => {
    const flags = ['--data.limit', '256', '--global-batch-size', '64', '--epochs', '1'];
    const { coordinator, address } = await startCoordinator('--min-workers', '2', ...flags);
    const workers = [start('worker', '--join', address), start('worker', '--join', address)];
    const byHand = await coordinator.ended;
    expect(byHand.stderr).toBe('');
    expect(await Promise.all(workers.map(async ({ ended }) => (await ended).exitCode))).toEqual([0, 0]);
    const trained = await lockstepEvents('train', '--runs-dir', runsDirectory, '--workers', '1', '--model', 'mlp', ...flags);
    expect(byHand.events.at(-1)).toMatchObject({ event: 'end', steps: 4 });
    expect(hashOf(byHand.events.at(-1))).toBe(hashOf(trained.events.at(-1)));
  });

  it('end with the same bytes where a worker sees neither the files nor the memory of the coordinator', async () => {
    const flags = ['--data.limit', '256', '--global-batch-size', '64', '--epochs', '1'];
    const scratch = await mkdtemp(join(runsDirectory, 'scratch-'));
    const { coordinator, address } = await startCoordinatorWith({ env: { TMPDIR: scratch } }, '--min-workers', '2', '--listen', '0.0.0.0:0', '--insecure', ...flags);
    // Mounts of its own, as on another machine: no Unix socket, no data file and no tmpfs in common.
    const hide = `mount -t tmpfs none ${scratch} && mount -t tmpfs none /dev/shm && exec "$@"`;
    const elsewhere = { launcher: ['unshare', '--map-root-user', '--mount', 'sh', '-c', hide, 'sh'], env: { XDG_CACHE_HOME: scratch } };
    const workers = [start('worker', '--join', address), startWith(elsewhere, 'worker', '--join', address)];
    const apart = await coordinator.ended;
    expect(apart.stderr).toBe('');
    expect(await Promise.all(workers.map(async ({ ended }) => (await ended).exitCode))).toEqual([0, 0]);
    const trained = await lockstepEvents('train', '--runs-dir', runsDirectory, '--workers', '1', '--model', 'mlp', ...flags);
    expect(hashOf(apart.events.at(-1))).toBe(hashOf(trained.events.at(-1)));
  });

  it('refuse a worker that comes after the start, and go on', async () => {
    const { coordinator, address } = await startCoordinator('--min-workers', '1', '--data.limit', '2560', '--epochs', '40', '--failure-detection-ms', '10000');
    start('worker', '--join', address);
    await coordinator.event('step');
    const late = await start('worker', '--join', address).ended;
    expect(late.exitCode).toBe(1);
    expect(late.stderr).toContain('the run has started with 1 workers');
    expect((await coordinator.ended).exitCode).toBe(0);
  });

  it('refuse a worker whose engine computes other bits, and say why', async () => {
    const { coordinator, address } = await startCoordinator('--min-workers', '1', '--data.limit', '2560', '--epochs', '400');
    start('worker', '--join', address);
    await coordinator.event('worker', ({ state }) => state === 'joined');
    await coordinator.event('start');
    const other = await start('worker', '--join', address, '--numerics.engine', 'javascript').ended;
    expect(other.exitCode).toBe(1);
    expect(other.stderr).toMatch(/refused by the coordinator/);
  });

  it('end with a clear error when the coordinator is not there', async () => {
    const { exitCode, stderr } = await start('worker', '--join', '127.0.0.1:1').ended;
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/coordinator at 127\.0\.0\.1:1: .*ECONNREFUSED/);
  });

  it('need --insecure to listen beyond this machine', async () => {
    const { exitCode, stderr } = await lockstepEvents('coordinator', '--listen', '0.0.0.0:0', '--runs-dir', runsDirectory);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('--insecure');
  });
});

describe('a run', () => {
  const long = ['--model', 'mlp', '--epochs', '400', '--data.limit', '2560'];

  it('ends with an error that names the worker that was killed', async () => {
    const train = start('train', '--runs-dir', runsDirectory, '--run', 'killed', '--json', '--workers', '2', ...long);
    const { pid } = await train.event('worker', ({ rank, state }) => rank === 1 && state === 'training');
    await train.event('step');
    process.kill(pid, 'SIGKILL');
    const { exitCode, stderr, events } = await train.ended;
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`process ${pid}`);
    expect(events.some((event) => event.event === 'end')).toBe(false);
    expect(await readdir(join(runsDirectory, 'killed'))).not.toContain('model');
  });

  it('ends with an error that names the worker that hangs', async () => {
    const train = start('train', '--runs-dir', runsDirectory, '--json', '--workers', '2', ...long);
    const { pid } = await train.event('worker', ({ rank, state }) => rank === 1 && state === 'training');
    await train.event('step');
    process.kill(pid, 'SIGSTOP');
    const { exitCode, stderr } = await train.ended;
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(new RegExp(`worker 1 \\(.*, process ${pid}\\) was lost: silent for \\d+\\.\\d s; its micro-batches 4 to 7 are missing`));
  });

  it('leaves no process, socket or shared memory behind when it is interrupted', async () => {
    const train = start('train', '--runs-dir', runsDirectory, '--json', '--workers', '2', ...long);
    const pids = await Promise.all([0, 1].map(async (rank) => (await train.event('worker', (event) => event.rank === rank)).pid));
    await train.event('step');
    train.child.kill('SIGINT');
    const { exitCode, stderr } = await train.ended;
    expect(exitCode).toBe(1);
    expect(stderr).toContain('stopped by SIGINT');
    for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    const left = (await readdir('/dev/shm')).filter((name) => name.includes(`-${train.child.pid}-`));
    expect(left).toEqual([]);
  });

  it('names the field of a wrong config before any work starts', async () => {
    const { exitCode, stderr } = await lockstepEvents('train', '--runs-dir', join(runsDirectory, 'none'), '--micro-batches', '3');
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^error: microBatches: got 3, expected a power of two/);
    await expect(stat(join(runsDirectory, 'none'))).rejects.toThrow('ENOENT');
  });

  it('stops with step and micro-batch named when the loss is not finite', async () => {
    const { exitCode, stderr } = await lockstepEvents('train', '--runs-dir', runsDirectory, '--workers', '2', '--model', 'mlp', '--data.limit', '2560', '--optimizer', 'sgd', '--optimizer.learning-rate', '1e30');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/step \d+, micro-batch \d+: the loss is (NaN|Infinity)/);
  });
});

function hashOf(event: unknown): string | undefined {
  return (event as { parametersSha256?: string }).parametersSha256;
}
