import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { createServer, type ListenOptions } from 'node:net';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf, type Capabilities } from '@lockstep/core';
import { broken, note, ok, type Finding } from './finding.ts';

const OLDEST_NODE = 24;
const SCARCE_DISK_BYTES = 1e9;
/** A worker's parameters, gradients and a step's partials, for a model of some million parameters. */
const SCARCE_SHARED_BYTES = 256e6;

export function checkNode(version = process.versions.node): Finding {
  const remedy = 'Run it as `npx lockstep`, which uses the Node that came with the npm packages.';
  return Number(version.split('.')[0]) >= OLDEST_NODE ? ok('node', version) : broken('node', `${version}, and the sources run on ${OLDEST_NODE} or newer`, remedy);
}

export function checkProcessor(instructionSet: Capabilities['instructionSet'], cores = availableParallelism()): Finding {
  const found = `${cores} ${cores === 1 ? 'core' : 'cores'} (${cpus()[0]?.model.trim() ?? 'unknown'}), ${instructionSet}, 1 thread a worker by default`;
  if (cores === 1) return note('threads', found, 'Several workers would share one core: they give the same result, and no more speed.');
  return ok('threads', found);
}

export async function checkGpus(device: Capabilities['device'] | null): Promise<Finding> {
  const gpus = await listGpus();
  if (gpus.length === 0) return ok('gpus', 'none visible; the engine computes on the processor');
  if (device === 'cpu') return note('gpus', `${gpus.join('; ')}, not used by the engine`, 'Run `npm run setup -- --engine gpu`.');
  return ok('gpus', gpus.join('; '));
}

async function listGpus(): Promise<string[]> {
  try {
    const { stdout } = await promisify(execFile)('nvidia-smi', ['--query-gpu=name,memory.total,driver_version', '--format=csv,noheader'], { timeout: 10_000 });
    return stdout.trim().split('\n').filter((line) => line !== '');
  } catch {
    return [];
  }
}

/** Whether processes here can reach each other, over loopback and over a Unix socket. */
export async function checkPorts(): Promise<Finding> {
  try {
    await listen({ host: '127.0.0.1', port: 0 });
    await listenOnSocketFile();
    return ok('ports', 'a loopback port and a Unix socket can be opened');
  } catch (error) {
    return broken('ports', messageOf(error), 'Allow this user to listen on 127.0.0.1 and to create sockets in the temporary directory (TMPDIR).');
  }
}

async function listenOnSocketFile(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'lockstep-doctor-'));
  try {
    await listen({ path: join(directory, 'socket') });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function listen(options: ListenOptions): Promise<void> {
  const server = createServer().listen(options);
  try {
    await once(server, 'listening');
  } finally {
    server.close();
  }
}

/** Shared memory carries tensors between processes of one machine; without it they go over sockets. */
export async function checkSharedMemory(directory = '/dev/shm'): Promise<Finding> {
  const remedy = 'Tensors will go over sockets, which is slower. In a container, start it with --shm-size=2g or --ipc=host.';
  try {
    await writeAndReadBack(directory);
    const free = await freeBytes(directory);
    return free < SCARCE_SHARED_BYTES ? note('shared memory', `${directory} has ${megabytes(free)} free`, remedy) : ok('shared memory', `${directory}, ${megabytes(free)} free`);
  } catch (error) {
    return note('shared memory', messageOf(error), remedy);
  }
}

/** @param directory where runs will be written */
export async function checkDisk(directory = process.cwd()): Promise<Finding> {
  try {
    await writeAndReadBack(directory);
    const free = await freeBytes(directory);
    const found = `${directory}, ${megabytes(free)} free`;
    return free < SCARCE_DISK_BYTES ? broken('disk', found, 'Free some space, or choose another disk with --runs-dir.') : ok('disk', found);
  } catch (error) {
    return broken('disk', messageOf(error), 'Run it in a directory that you may write to, or choose one with --runs-dir.');
  }
}

async function writeAndReadBack(directory: string): Promise<void> {
  const own = await mkdtemp(join(directory, '.lockstep-doctor-'));
  try {
    await writeFile(join(own, 'probe'), 'lockstep');
    if ((await readFile(join(own, 'probe'), 'utf8')) !== 'lockstep') throw new Error(`${directory} does not give back what was written`);
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}

async function freeBytes(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}

const megabytes = (bytes: number): string => (bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${(bytes / 1e6).toFixed(0)} MB`);
