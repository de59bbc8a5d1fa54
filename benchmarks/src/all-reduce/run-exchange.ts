import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { medianOf } from '@lockstep/core';
import { cutIntoShards } from '@lockstep/parameter-server';
import type { ExchangeCarrier, ExchangeOrder, FromExchange, Station, ToExchange } from './exchange-messages.ts';

const PROGRAM = fileURLToPath(new URL('./exchange-process.ts', import.meta.url));
/** Steps before the ones that count: the first touch of memory and files. */
export const WARM_UP = 3;

const HERE: Station = { launcher: [], host: '127.0.0.1' };

/**
 * A process of this machine as a container has it: with a tmpfs of its own, so that nobody but itself shares memory with it.
 * (`--map-root-user` lets a plain user mount it.)
 */
const APART: Station = { launcher: ['unshare', '--map-root-user', '--mount', 'sh', '-c', 'mount -t tmpfs none /dev/shm && exec "$@"', 'sh'], host: '127.0.0.1' };

/** So many processes of this machine, which share memory if that is what carries. */
export function stationsHere(processes: number, carrier: ExchangeCarrier): readonly Station[] {
  return Array.from({ length: processes }, () => (carrier === 'memory' ? HERE : APART));
}

/** Median milliseconds of an all-reduce among processes at these stations. */
export async function runExchange(order: Pick<ExchangeOrder, 'floats' | 'steps' | 'carrier'>, stations: readonly Station[], signal: AbortSignal): Promise<number> {
  const { floats } = order;
  const processes = stations.length;
  const children = stations.map(({ launcher, host }, rank) => {
    const [program = '', ...args] = [...launcher, process.execPath, PROGRAM, JSON.stringify({ ...order, processes, host, rank, steps: order.steps + WARM_UP } satisfies ExchangeOrder)];
    return spawn(program, args, { signal, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  });
  try {
    const ranges = cutIntoShards(floats, processes);
    const listening = await Promise.all(children.map((child) => heard(child, 'listening')));
    const endpoints = listening.map(({ unixAddress, tcpAddress }, shard) => ({ unixAddress, tcpAddress, ...ranges[shard]! }));
    for (const child of children) child.send({ kind: 'connect', endpoints } satisfies ToExchange);
    const times = await Promise.all(children.map((child) => heard(child, 'times')));
    return medianOf(times[0]!.milliseconds.slice(WARM_UP));
  } finally {
    for (const child of children) if (child.connected) child.send({ kind: 'end' } satisfies ToExchange);
    for (const child of children) if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
}

/** The child's next message of a kind. */
async function heard<Kind extends FromExchange['kind']>(child: ChildProcess, kind: Kind): Promise<Extract<FromExchange, { kind: Kind }>> {
  const { promise, resolve, reject } = Promise.withResolvers<Extract<FromExchange, { kind: Kind }>>();
  child.on('message', (message: FromExchange) => {
    if (message.kind === kind) resolve(message as Extract<FromExchange, { kind: Kind }>);
  });
  child.once('exit', (code) => reject(new Error(`a process of the exchange ended with exit code ${code}`)));
  child.once('error', reject);
  return promise;
}
