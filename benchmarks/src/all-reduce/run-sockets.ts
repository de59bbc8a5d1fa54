import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { medianOf } from '@lockstep/core';
import { WARM_UP } from './run-exchange.ts';

const PROGRAM = fileURLToPath(new URL('./socket-process.ts', import.meta.url));

/** Median milliseconds of the exchange between two processes over a plain Node socket. */
export async function runSockets(carrier: 'unix' | 'tcp', floats: number, steps: number, signal: AbortSignal): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'lockstep-sockets-'));
  const args = [String(floats), String(steps + WARM_UP)];
  const listener = fork(PROGRAM, ['listen', carrier === 'unix' ? join(directory, 'socket') : '0', ...args], { signal, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  try {
    let output = '';
    listener.stdout!.setEncoding('utf8').on('data', (text: string) => { output += text; });
    const [address] = await once(listener, 'message', { signal }) as [string];
    const other = spawn(process.execPath, [PROGRAM, 'connect', address, ...args], { signal, stdio: ['ignore', 'inherit', 'inherit'] });
    await Promise.all([once(listener, 'close'), once(other, 'close')]);
    return medianOf((JSON.parse(output) as readonly number[]).slice(WARM_UP));
  } finally {
    listener.kill();
    await rm(directory, { recursive: true, force: true });
  }
}
