import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BenchRow } from '../bench-row.ts';
import { BATCH } from '../workload.ts';
import { peakMemory, type Role } from './peak-memory.ts';

const CLI = fileURLToPath(new URL('../../../apps/cli/src/main.ts', import.meta.url));
const WORKERS = 2;
const [INPUTS, CLASSES] = [784, 10];

export interface MemoryBenchOptions {
  readonly quick: boolean;
  readonly runsDirectory: string;
  readonly signal: AbortSignal;
}

/**
 * Bytes a parameter of each kind of process: what a larger model adds to the most that it has in memory. The program itself,
 * TensorFlow and the data are in both runs, and so in none of the figures.
 */
export async function benchMemory({ quick, runsDirectory, signal }: MemoryBenchOptions): Promise<readonly BenchRow[]> {
  const [small, large] = quick ? [2_000, 6_000] as const : [5_000, 25_000] as const;
  const before = await peaksWith(small, runsDirectory, signal);
  const after = await peaksWith(large, runsDirectory, signal);
  const parameters = parametersWith(large) - parametersWith(small);
  return [...after].map(([role, bytes]) => ({
    group: 'i',
    name: `${role}: memory a parameter, Adam`,
    ours: `${((bytes - (before.get(role) ?? 0)) / parameters).toFixed(1)} bytes`,
    peer: `${(parametersWith(small) / 1e6).toFixed(1)} to ${(parametersWith(large) / 1e6).toFixed(1)} M parameters`,
    ratio: null, range: null, goal: null,
    note: `${WORKERS} workers, one parameter server that holds all, a checkpoint; peaks of resident memory`,
  }));
}

async function peaksWith(hidden: number, runsDirectory: string, signal: AbortSignal): Promise<ReadonlyMap<Role, number>> {
  const child = spawn(process.execPath, [
    CLI, 'train', '--json', '--runs-dir', runsDirectory, '--run', 'memory', '--model', 'mlp', '--model.hidden', String(hidden),
    '--workers', String(WORKERS), '--shard-hosts', 'servers', '--parameter-servers', '1', '--data.limit', String(10 * BATCH),
    '--global-batch-size', String(WORKERS * BATCH), '--micro-batches', String(WORKERS), '--max-steps', '8', '--checkpoints.every-steps', '4',
  ], { stdio: ['ignore', 'ignore', 'inherit'], signal });
  const ended = new AbortController();
  const peaks = peakMemory(child.pid ?? 0, ended.signal);
  const [code] = await once(child, 'exit') as [number | null];
  ended.abort();
  if (code !== 0) throw new Error(`a run with ${hidden} hidden units ended with ${code}`);
  await rm(join(runsDirectory, 'memory'), { recursive: true });
  return peaks;
}

const parametersWith = (hidden: number): number => hidden * (INPUTS + 1) + (hidden + 1) * CLASSES;
