import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { RunEvent } from '@lockstep/core';
import { command, launcherOn, type Host } from '@lockstep/testbed';

const CLI = fileURLToPath(new URL('../../../apps/cli/src/main.ts', import.meta.url));
const PORT = 7077;
const BATCH = 64;
const HIDDEN = 512;
/** Of the model, in millions of bytes: what one gradient takes. */
export const GRADIENT_MB = ((784 + 1) * HIDDEN + (HIDDEN + 1) * 10) * 4 / 1e6;
/** Workers connect, and the relay takes over, before this step. */
const FIRST_STEP = 20;

export interface AcrossOptions {
  /** Of the coordinator and the shards, and of the workers. */
  readonly hosts: readonly [Host, Host];
  readonly workers: number;
  /** Whether the workers' machine has one name; else each takes it for another, and they do without a relay. */
  readonly oneName: boolean;
  /** Of the coordinator, besides. */
  readonly flags: readonly string[];
  readonly steps: number;
  readonly directory: string;
  readonly signal: AbortSignal;
}

export interface Across {
  readonly msPerStep: number;
  /** What the shards' host has received, in millions of bytes. */
  readonly mbPerStep: number;
}

/** Trains an MLP with all workers on one host and all shards on another. */
export async function trainAcross({ hosts: [near, far], workers, oneName, flags, steps, directory, signal }: AcrossOptions): Promise<Across> {
  const own = [join(directory, 'near'), join(directory, 'far')] as const;
  await Promise.all(own.map((each) => mkdir(each, { recursive: true })));
  const start = (launcher: readonly string[], temporary: string, args: readonly string[]) => {
    const [program = '', ...rest] = [...launcher, ...args];
    return spawn(program, rest, { stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, TMPDIR: temporary, XDG_CACHE_HOME: temporary }, signal });
  };
  const coordinator = start(launcherOn(near, own[0]), own[0], [
    process.execPath, CLI, 'coordinator', '--json', '--listen', `${near.address}:${PORT}`, '--insecure', '--runs-dir', join(directory, 'runs'), '--min-workers', String(workers),
    '--shards', '4', '--model', 'mlp', '--model.hidden', String(HIDDEN), '--optimizer', 'sgd', '--global-batch-size', String(BATCH), '--micro-batches', '8',
    '--data.limit', String(BATCH * steps), '--data.validation', '0', '--epochs', '1', ...flags,
  ]);
  const ended = [once(coordinator, 'close')];
  const samples: Sample[] = [];
  for await (const line of createInterface({ input: coordinator.stdout })) {
    const event = JSON.parse(line) as RunEvent;
    if (event.event === 'log' && event.message.includes('--join')) ended.push(once(start(launcherOn(far, own[1]), own[1], workersNamed(oneName, workers, near.address)), 'close'));
    const isMark = event.event === 'step' && (event.step === FIRST_STEP || event.step === steps - 1);
    if (isMark) samples.push({ seconds: event.elapsedSeconds, bytes: await receivedBy(near) });
  }
  const [[code] = [null]] = await Promise.all(ended) as (number | null)[][];
  const [from, to] = samples;
  if (code !== 0 || from === undefined || to === undefined) throw new Error(`a run with ${workers} workers on another host ended with ${code}`);
  const made = steps - 1 - FIRST_STEP;
  return { msPerStep: ((to.seconds - from.seconds) * 1000) / made, mbPerStep: (to.bytes - from.bytes) / made / 1e6 };
}

interface Sample {
  readonly seconds: number;
  readonly bytes: number;
}

/** Starts all workers from one process, as only so they have the host's directories in common. */
function workersNamed(oneName: boolean, workers: number, coordinator: string): readonly string[] {
  const worker = `${process.execPath} ${CLI} worker --join ${coordinator}:${PORT}`;
  const named = Array.from({ length: workers }, (_, index) => `unshare --uts sh -c 'hostname workers${oneName ? '' : `-${index}`} && exec ${worker}' &`);
  return ['sh', '-c', `${named.join(' ')} wait`];
}

async function receivedBy({ namespace }: Host): Promise<number> {
  return Number(await command('ip', 'netns', 'exec', namespace, 'cat', '/sys/class/net/eth0/statistics/rx_bytes'));
}
