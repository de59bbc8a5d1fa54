import { join } from 'node:path';
import { medianOf } from '@lockstep/core';
import type { BenchRow } from '../bench-row.ts';
import { pairedRatio } from '../statistics.ts';
import type { ExchangeCarrier } from './exchange-messages.ts';
import { runExchange, stationsHere } from './run-exchange.ts';
import { runGloo } from './run-gloo.ts';
import { runSockets } from './run-sockets.ts';

interface Exchange {
  readonly processes: number;
  readonly carrier: ExchangeCarrier;
  /** Millions of bytes of the vector. */
  readonly mb: number;
  /** What ours over the peer's bandwidth should reach: gloo's beside shared memory, a plain Node socket's beside a socket. */
  readonly goal: number;
}

const exchanges = (processes: number, carrier: ExchangeCarrier, goals: Readonly<Record<string, number>>): readonly Exchange[] =>
  Object.entries(goals).map(([mb, goal]) => ({ processes, carrier, mb: Number(mb), goal }));

const ALL: readonly Exchange[] = [
  ...exchanges(2, 'memory', { '0.4': 1, 1: 1, 4: 1.2, 16: 1.2, 64: 1.2, 256: 1.2 }),
  ...exchanges(4, 'memory', { 16: 1, 64: 1 }),
  ...exchanges(2, 'unix', { 4: 0.8, 64: 0.8 }),
  ...exchanges(2, 'tcp', { 4: 0.8, 64: 0.8 }),
];
const CARRIERS: Readonly<Record<ExchangeCarrier, string>> = { memory: 'shared memory', unix: 'Unix socket', tcp: 'TCP' };

export interface AllReduceOptions {
  readonly python: string;
  /** Whether `python` has PyTorch. */
  readonly withTorch: boolean;
  readonly repetitions: number;
  readonly quick: boolean;
  /** For a Unix socket. */
  readonly directory: string;
  readonly signal: AbortSignal;
}

/** The exchange of a gradient among processes of this machine, which host the shards, beside gloo and plain sockets: all take turns. */
export async function benchAllReduce(options: AllReduceOptions): Promise<readonly BenchRow[]> {
  const wanted = ALL.filter(({ mb, processes }) => !options.quick || (mb === 4 && processes === 2));
  const figures = wanted.map(() => ({ ours: [] as number[], peer: [] as number[] }));
  for (let round = 1; round <= options.repetitions; round += 1) {
    const gloo = new Map<number, ReadonlyMap<number, number>>();
    for (const [index, exchange] of wanted.entries()) {
      const { processes, carrier, mb } = exchange;
      if (carrier === 'memory' && options.withTorch && !gloo.has(processes)) gloo.set(processes, await runGloo(options.python, processes, options.signal));
      const [floats, steps] = [2 * Math.round((mb * 1e6) / 8), stepsFor(mb)];
      const ours = bandwidth(mb, await runExchange({ floats, steps, carrier }, stationsHere(processes, carrier), options.signal));
      const peerMs = carrier === 'memory' ? gloo.get(processes)?.get(mb) : await runSockets(carrier === 'tcp' ? '127.0.0.1:0' : join(options.directory, 'socket'), floats, steps, options.signal);
      figures[index]!.ours.push(ours);
      if (peerMs !== undefined) figures[index]!.peer.push(bandwidth(mb, peerMs));
      process.stderr.write(`${nameOf(exchange)}, round ${round} of ${options.repetitions}: ${Math.round(ours)} MB/s\n`);
    }
  }
  return wanted.map((exchange, index) => rowOf(exchange, figures[index]!));
}

function rowOf(exchange: Exchange, { ours, peer }: { readonly ours: readonly number[]; readonly peer: readonly number[] }): BenchRow {
  const row = { group: 'g', name: nameOf(exchange), ours: `${Math.round(medianOf(ours))} MB/s`, goal: exchange.goal } as const;
  if (peer.length === 0) return { ...row, peer: '–', ratio: null, range: null, note: 'skipped: PyTorch is not installed (docs/benchmarks.md says how)' };
  const { median, least, greatest } = pairedRatio(ours, peer);
  const peerName = exchange.carrier === 'memory' ? 'gloo' : 'plain socket';
  return { ...row, peer: `${Math.round(medianOf(peer))} MB/s, ${peerName}`, ratio: median, range: { least, greatest } };
}

const nameOf = ({ processes, carrier, mb }: Exchange): string => `all-reduce of ${mb} MB, ${processes} processes, ${CARRIERS[carrier]}`;

/** Bytes of the vector over the time, in MB/s. */
const bandwidth = (mb: number, ms: number): number => (mb / ms) * 1000;

/** As many as the peer's script makes. */
const stepsFor = (mb: number): number => Math.max(5, Math.min(60, Math.floor(400 / mb)));
