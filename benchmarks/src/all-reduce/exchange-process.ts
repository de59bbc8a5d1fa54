import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bytesOf, clippingSchema, LockstepError, optimizerSchema } from '@lockstep/core';
import { cutIntoShards, HostedShard, type ShardPlan } from '@lockstep/parameter-server';
import { leafOf } from '@lockstep/reduction';
import { createProcessDirectory, ExchangeClient, type ShardEndpoint__Output } from '@lockstep/transport';
import type { ExchangeOrder, FromExchange, ToExchange } from './exchange-messages.ts';

/**
 * One of the processes that all-reduce a vector as workers do that host the shards: each holds one shard, pushes its
 * slice of a partial to every shard and takes the version back. With its own shard it shares memory, whatever carries
 * the rest. Plain SGD stands in for the sum that gloo leaves.
 */
const order = JSON.parse(process.argv[2] ?? '') as ExchangeOrder;
const { rank, processes, floats, steps, carrier, host } = order;
const TOKEN = 'bench';
const ranges = cutIntoShards(floats, processes);
const scratch = createProcessDirectory(tmpdir());
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
process.on('disconnect', () => process.exit(1));

const tell = (message: FromExchange): void => void process.send?.(message);
const endpoints = Promise.withResolvers<readonly ShardEndpoint__Output[]>();
process.on('message', (message: ToExchange) => {
  if (message.kind === 'connect') endpoints.resolve(message.endpoints);
  else process.exit(0);
});

startShard();
tell({ kind: 'times', milliseconds: await exchange(await endpoints.promise) });

function startShard(): void {
  const plan: ShardPlan = {
    range: ranges[rank]!, trainableLength: floats, totalLength: floats, microBatches: processes, totalSteps: steps + 1, stepsPerEpoch: steps + 1,
    optimizer: optimizerSchema.parse({ kind: 'sgd', learningRate: 1e-3 }), clipping: clippingSchema.parse({}), wire: 'float32', parameterWire: 'float32', shard: rank, shards: processes,
    rates: [], snapshotEvery: [], checkpointEvery: null, onNonFinite: 'stop',
  };
  const shard = new HostedShard(1, rank, 'primary', {
    send: ({ shardReady, note }) => {
      if (shardReady) tell({ kind: 'listening', unixAddress: shardReady.unixAddress ?? '', tcpAddress: shardReady.tcpAddress ?? '' });
      else if (note) throw new Error(note.message);
    },
    copied: () => undefined,
    failed: (error) => { throw error; },
  });
  shard.start({
    plan, generation: 1, start: null, sharedMemory: true, token: TOKEN, failureDetectionMs: 60_000,
    listenOn: [`unix:${join(scratch, 'shard.sock')}`, `${host}:0`],
  });
}

/** Milliseconds of each step, from the version before it to its own. */
async function exchange(shards: readonly ShardEndpoint__Output[]): Promise<readonly number[]> {
  const gradient = new Float32Array(new SharedArrayBuffer(floats * 4)).fill(rank + 1);
  const parameters = new Float32Array(new SharedArrayBuffer(floats * 4));
  const milliseconds: number[] = [];
  const done = Promise.withResolvers<void>();
  const arrived = new Map<number, number>();
  let startMs = 0;
  const begin = (step: number): void => {
    const nowMs = performance.now();
    if (step > 0) milliseconds.push(nowMs - startMs);
    if (step === steps) return done.resolve();
    startMs = nowMs;
    const header = { step, node: leafOf(rank), tally: { numExamples: 1, numCorrect: 0, lossSum: 0, numNonFinite: 0 }, shares: [{ rank, microBatches: 1, computeMs: 0 }], digests: [0] };
    links.forEach((link, shard) => link.push(header, step % 2, bytesOf(gradient.subarray(ranges[shard]!.from, ranges[shard]!.to))));
  };
  const links = shards.map(({ unixAddress, tcpAddress }, shard) => new ExchangeClient({
    role: 'worker',
    rank, token: TOKEN, address: carrier === 'tcp' && shard !== rank ? tcpAddress : unixAddress, length: ranges[shard]!.to - ranges[shard]!.from,
    versions: {
      bytes: 4 * (ranges[shard]!.to - ranges[shard]!.from),
      reserve: () => bytesOf(parameters.subarray(ranges[shard]!.from, ranges[shard]!.to)),
      commit: (version) => {
        arrived.set(version, (arrived.get(version) ?? 0) + 1);
        if (arrived.get(version) === shards.length) begin(version);
      },
      abandon: () => undefined,
    },
    initial: () => new Float32Array(ranges[shard]!.to - ranges[shard]!.from),
    onOpen: () => {
      const shares = carrier === 'memory' || shard === rank;
      if (links[shard]!.sharesMemory !== shares) throw new LockstepError('prerequisite', `processes ${rank} and ${shard} ${shares ? 'share no' : 'share'} memory`);
    },
    onLost: (error) => {
      // A process that has been told to end takes its shard with it.
      if (milliseconds.length < steps) throw error;
    },
  }));
  await done.promise;
  return milliseconds;
}
