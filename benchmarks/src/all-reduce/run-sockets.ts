import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { medianOf } from '@lockstep/core';
import { WARM_UP } from './run-exchange.ts';

const PROGRAM = fileURLToPath(new URL('./socket-process.ts', import.meta.url));

/** Median milliseconds of the exchange between two processes over one plain Node socket: to `address`, a path or `HOST:0`. */
export async function runSockets(address: string, floats: number, steps: number, signal: AbortSignal, launchers: readonly (readonly string[])[] = [[], []]): Promise<number> {
  const start = (rank: number, role: string, to: string) => {
    const [program = '', ...args] = [...(launchers[rank] ?? []), process.execPath, PROGRAM, role, to, String(floats), String(steps + WARM_UP)];
    return spawn(program, args, { signal, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  };
  const listener = start(0, 'listen', address);
  try {
    let output = '';
    listener.stdout!.setEncoding('utf8').on('data', (text: string) => { output += text; });
    const [bound] = await once(listener, 'message', { signal }) as [string];
    const other = start(1, 'connect', bound);
    await Promise.all([once(listener, 'close'), once(other, 'close')]);
    return medianOf((JSON.parse(output) as readonly number[]).slice(WARM_UP));
  } finally {
    listener.kill();
  }
}
