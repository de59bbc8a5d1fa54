import { tmpdir } from 'node:os';
import { medianOf } from '@lockstep/core';
import { dropPackets, launcherOn, limitRate, moveAway, Network, requireTools, type Host } from '@lockstep/testbed';
import type { BenchRow } from '../bench-row.ts';
import { pairedRatio } from '../statistics.ts';
import { runExchange } from './run-exchange.ts';
import { runSockets } from './run-sockets.ts';

const LINE_KILOBITS = 1_000_000;
/** Millions of bytes of the vector, and its elements. */
const MB = 64;
const FLOATS = (MB * 1e6) / 4;
const STEPS = 5;

interface Between {
  readonly name: string;
  readonly hosts: number;
  readonly goal: number;
  /** Each way, in milliseconds. */
  readonly delayMs: number;
  /** Of packets, 0 to 1. Where some are lost the peer is one plain TCP stream on the same line, else the line. */
  readonly loss: number;
}

const ALL: readonly Between[] = [
  { name: '2 hosts', hosts: 2, goal: 0.9, delayMs: 0, loss: 0 },
  { name: '4 hosts', hosts: 4, goal: 0.9, delayMs: 0, loss: 0 },
  { name: '2 hosts 10 ms apart', hosts: 2, goal: 0.8, delayMs: 10, loss: 0 },
  { name: '2 hosts, 1 % of packets lost', hosts: 2, goal: 0.9, delayMs: 0, loss: 0.01 },
];

/** The exchange of a gradient among hosts, network namespaces of this machine with lines of 1 Gbit/s. */
export async function benchBetweenHosts(repetitions: number, quick: boolean, signal: AbortSignal): Promise<readonly BenchRow[]> {
  const wanted = quick ? ALL.slice(0, 1) : ALL;
  const unable = await requireTools('the exchange between hosts').then(() => null, (error: Error) => error.message);
  const rows: BenchRow[] = [];
  for (const between of wanted) rows.push(unable === null ? await measure(between, repetitions, signal) : { ...blankRow(between), note: `skipped: ${unable}` });
  return rows;
}

async function measure(between: Between, repetitions: number, signal: AbortSignal): Promise<BenchRow> {
  await using network = await Network.create(`lockstep-bench-${process.pid}`);
  const hosts: Host[] = [];
  for (let rank = 0; rank < between.hosts; rank += 1) hosts.push(await network.host(`host ${rank}`));
  for (const host of hosts) await limitRate(host, LINE_KILOBITS);
  await using undo = new AsyncDisposableStack();
  for (const host of between.delayMs > 0 ? hosts : []) undo.defer(await moveAway(host, between.delayMs));
  // Every packet between two hosts passes the first one's rules once.
  if (between.loss > 0) undo.defer(await dropPackets(hosts[0]!, between.loss));
  const stations = hosts.map((host) => ({ launcher: launcherOn(host, tmpdir()), host: host.address }));
  const [ours, peer]: [number[], number[]] = [[], []];
  for (let round = 1; round <= repetitions; round += 1) {
    ours.push(bandwidth(await runExchange({ floats: FLOATS, steps: STEPS, carrier: 'tcp' }, stations, signal)));
    peer.push(between.loss === 0 ? lineBandwidth(between.hosts) : bandwidth(await runSockets(`${hosts[0]!.address}:0`, FLOATS, STEPS, signal, stations.map(({ launcher }) => launcher))));
    process.stderr.write(`${blankRow(between).name}, round ${round} of ${repetitions}: ${Math.round(ours.at(-1)!)} MB/s\n`);
  }
  const { median, least, greatest } = pairedRatio(ours, peer);
  const peerName = between.loss === 0 ? 'the line' : 'one plain TCP stream';
  return { ...blankRow(between), ours: `${Math.round(medianOf(ours))} MB/s`, peer: `${Math.round(medianOf(peer))} MB/s, ${peerName}`, ratio: median, range: { least, greatest } };
}

const blankRow = ({ name, goal }: Between): BenchRow => ({ group: 'h', name: `all-reduce of ${MB} MB, ${name}, 1 Gbit/s`, ours: '–', peer: '–', ratio: null, range: null, goal });

const bandwidth = (ms: number): number => (MB / ms) * 1000;

/** What the line allows: a host sends its gradient but for its own part, and its part's version to each other host. */
function lineBandwidth(hosts: number): number {
  const sentShare = (2 * (hosts - 1)) / hosts;
  return LINE_KILOBITS / 8 / 1000 / sentShare;
}
